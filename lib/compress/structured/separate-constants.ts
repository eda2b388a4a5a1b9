import { nameMaker } from '../../ir/edit';
import type { Graph } from '../../ir/graph';
import { elementCount, type Tensor } from '../../ir/tensor';

/**
 * The graph where every node has vectors of floats (biases, scales, statistics) of its own: equal ones are stored once, which would
 * tie the channels of layers together that have nothing to do with each other. Matrices that are shared stay so. Returns the same
 * graph when nothing is shared.
 */
export function separateConstants(graph: Graph): Graph {
  const fresh = nameMaker(graph);
  const taken = new Set<string>(graph.outputs);
  const added = new Map<string, Tensor>();
  const nodes = graph.nodes.map((node) => {
    const inputs = node.inputs.map((name) => {
      const tensor = graph.initializers.get(name);
      if (tensor?.type !== 'float32' || elementCount(tensor.dims) !== Math.max(2, ...tensor.dims)) return name;
      if (!taken.has(name)) {
        taken.add(name);
        return name;
      }
      const copy = fresh(name);
      added.set(copy, tensor);
      return copy;
    });
    return inputs.every((name, index) => name === node.inputs[index]) ? node : { ...node, inputs };
  });
  return added.size === 0 ? graph : { ...graph, nodes, initializers: new Map([...graph.initializers, ...added]) };
}
