import { subgraphsOf } from '../ir/edit';
import type { Graph } from '../ir/graph';
import { elementCount, type Tensor } from '../ir/tensor';
import { constantTensor } from '../ops/operators/constant';

/** Types of constants that are no weights: they tell shapes, indices and conditions. */
const NO_WEIGHTS: readonly string[] = ['int64', 'bool', 'string'];

/**
 * Elements of the constants that a graph computes with: initializers and Constant nodes, in its subgraphs too. A tensor that
 * stands in several places (a function used twice) counts once.
 */
export function countParameters(graph: Graph): number {
  return [...constantsAmong(graph)].reduce((sum, { dims }) => sum + elementCount(dims), 0);
}

/** The constants that a graph computes with, each once; of a list of tensors those that are weights. */
export function constantsAmong(source: Graph | readonly Tensor[]): Set<Tensor> {
  const seen = new Map<unknown, Tensor>();
  if ('nodes' in source) collect(source, seen);
  else for (const tensor of source) seen.set(placeOf(tensor), tensor);
  return new Set([...seen.values()].filter(({ type }) => !NO_WEIGHTS.includes(type)));
}

function collect(graph: Graph, seen: Map<unknown, Tensor>): void {
  for (const tensor of graph.initializers.values()) seen.set(placeOf(tensor), tensor);
  for (const node of graph.nodes) {
    const constant = node.op === 'Constant' && node.domain === '' ? constantTensor(node) : undefined;
    if (constant !== undefined) seen.set(placeOf(constant), constant);
    for (const subgraph of subgraphsOf(node)) collect(subgraph, seen);
  }
}

/** What tensors of the same bytes in a file share; bytes in another file are not read for it. */
function placeOf(tensor: Tensor): unknown {
  return Object.getOwnPropertyDescriptor(tensor, 'bytes')?.value ?? tensor;
}
