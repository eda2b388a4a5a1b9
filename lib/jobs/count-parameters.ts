import { subgraphsOf } from '../ir/edit';
import type { Graph } from '../ir/graph';
import { elementCount, type Tensor } from '../ir/tensor';
import { constantTensor } from '../ops/constant';

/** Types of constants that are no weights: they tell shapes, indices and conditions. */
const NO_WEIGHTS: readonly string[] = ['int64', 'bool', 'string'];

/**
 * Elements of the constants that a graph computes with: initializers and Constant nodes, in its subgraphs too. A tensor that
 * stands in several places (a function used twice) counts once.
 */
export function countParameters(graph: Graph): number {
  const seen = new Set<Tensor>();
  collect(graph, seen);
  return [...seen].reduce((sum, { type, dims }) => sum + (NO_WEIGHTS.includes(type) ? 0 : elementCount(dims)), 0);
}

function collect(graph: Graph, seen: Set<Tensor>): void {
  for (const tensor of graph.initializers.values()) seen.add(tensor);
  for (const node of graph.nodes) {
    const constant = node.op === 'Constant' && node.domain === '' ? constantTensor(node) : undefined;
    if (constant !== undefined) seen.add(constant);
    for (const subgraph of subgraphsOf(node)) collect(subgraph, seen);
  }
}
