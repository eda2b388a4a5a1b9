import type { Graph, Node } from '../ir/graph';
import { elementCount } from '../ir/tensor';
import { layerOf, parametersOf, takesBias } from '../ops/facts';

/**
 * Names of the initializers that training moves by default: float32 weights, biases, scales and shifts of layers, and
 * biases that a layer without a bias of its own (MatMul) gets from an Add. Other constants (preprocessing, shapes, statistics) stay.
 */
export function trainableParameters(graph: Graph): string[] {
  const found = new Set<string>();
  const products = new Set(graph.nodes.filter(lacksBias).flatMap(({ outputs }) => outputs));
  for (const node of graph.nodes) {
    const own = parametersOf(node, 'weight', 'recurrent', 'bias', 'scale', 'shift').map(({ index }) => index);
    for (const place of isBias(node, products) ? [0, 1] : own) {
      const name = node.inputs[place] ?? '';
      const tensor = graph.initializers.get(name);
      if (tensor?.type === 'float32' && elementCount(tensor.dims) > 0) found.add(name);
    }
  }
  return [...found];
}

function lacksBias(node: Node): boolean {
  return layerOf(node)?.product !== undefined && !takesBias(node);
}

function isBias({ op, inputs }: Node, products: ReadonlySet<string>): boolean {
  return op === 'Add' && inputs.some((input) => products.has(input));
}
