import { subgraphsOf } from '../ir/edit';
import type { Graph } from '../ir/graph';
import { bindToOneSample } from './bind-inputs';
import type { PassResult } from './pass-result';
import { type PrepareOptions, prepare } from './pipeline';

/**
 * The graph prepared, and where it has subgraphs (If, Loop, Scan) then for single samples with these in it, as the engine has them:
 * so their layers can be seen and changed, and what they compute is fetched like any other value. What was noticed is about nodes that are left.
 * @throws what `prepare` throws
 */
export function prepareWithBodies(graph: Graph, options: PrepareOptions = {}): PassResult {
  const prepared = prepare(graph, options);
  if (!prepared.graph.nodes.some((node) => subgraphsOf(node).length > 0)) return ofItsNodes(prepared);
  return ofItsNodes(prepare(bindToOneSample(graph), { ...options, subgraphs: 'inline' }));
}

/** Without words about operators that are gone. */
function ofItsNodes({ graph, diagnostics }: PassResult): PassResult {
  const names = new Set(graph.nodes.map(({ name }) => name));
  return {
    graph,
    diagnostics: diagnostics.filter(({ kind, where }) => kind !== 'unknown-operator' || names.has(where)),
  };
}
