import type { Graph } from '../ir/graph';
import type { Tensor } from '../ir/tensor';

/** The graph with some constants as further inputs, so that one session serves all their values. */
export function liftConstants(graph: Graph, constants: ReadonlyMap<string, Tensor>): Graph {
  const types = [...constants].map(([name, { type, dims }]) => [name, { type, shape: dims }] as const);
  return {
    ...graph,
    inputs: [...graph.inputs, ...constants.keys()],
    initializers: new Map([...graph.initializers].filter(([name]) => !constants.has(name))),
    values: new Map([...graph.values, ...types]),
  };
}
