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
  if (!prepared.graph.nodes.some((node) => subgraphsOf(node).length > 0)) return prepared;
  return prepare(bindToOneSample(graph), { ...options, subgraphs: 'inline' });
}
