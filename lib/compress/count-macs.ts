import type { Graph } from '../ir/graph';
import { findOperator } from '../ops/index';
import { bindShapes, inferShapes, symbolsOf } from '../passes/infer-shapes';

/**
 * Multiply-accumulates of one sample: symbols of the input shapes count as 1. Nodes whose cost is not known are not in it.
 * Expects the dialect.
 */
export function countMacs(graph: Graph): number {
  const symbols = symbolsOf(graph);
  const single =
    symbols.length === 0
      ? graph
      : inferShapes(bindShapes(graph, Object.fromEntries(symbols.map((name) => [name, 1])))).graph;
  const typeOf = (name: string) => {
    const tensor = single.initializers.get(name);
    return tensor ? { type: tensor.type, shape: tensor.dims } : single.values.get(name);
  };
  let macs = 0;
  for (const node of single.nodes) {
    const types = [...node.inputs, ...node.outputs].filter((name) => name !== '').map(typeOf);
    if (types.some((type) => type?.shape === undefined || type.shape.some((dim) => typeof dim !== 'number'))) continue;
    const cost = findOperator(node.domain, node.op)?.cost;
    macs += cost?.(node.inputs.map(typeOf), node.outputs.map(typeOf), node).macs ?? 0;
  }
  return macs;
}
