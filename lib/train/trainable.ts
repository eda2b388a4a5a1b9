import type { Graph } from '../ir/graph';
import { elementCount } from '../ir/tensor';

/** Inputs that hold parameters, by operator. */
const PARAMETERS: Readonly<Record<string, readonly number[]>> = {
  Conv: [1, 2],
  ConvTranspose: [1, 2],
  Gemm: [1, 2],
  MatMul: [1],
  BatchNormalization: [1, 2],
  LayerNormalization: [1, 2],
  LSTM: [1, 2, 3],
  GRU: [1, 2, 3],
};

/**
 * Names of the initializers that training moves by default: float32 weights, biases, scales and shifts of layers, and
 * biases that a MatMul gets from an Add. Other constants (preprocessing, shapes, statistics) stay.
 */
export function trainableParameters(graph: Graph): string[] {
  const found = new Set<string>();
  const products = new Set(graph.nodes.filter(({ op }) => op === 'MatMul').flatMap(({ outputs }) => outputs));
  for (const node of graph.nodes) {
    const places = PARAMETERS[node.op] ?? (isBias(node.op, node.inputs, products) ? [0, 1] : []);
    for (const place of places) {
      const name = node.inputs[place] ?? '';
      const tensor = graph.initializers.get(name);
      if (tensor?.type === 'float32' && elementCount(tensor.dims) > 0) found.add(name);
    }
  }
  return [...found];
}

function isBias(op: string, inputs: readonly string[], products: ReadonlySet<string>): boolean {
  return op === 'Add' && inputs.some((input) => products.has(input));
}
