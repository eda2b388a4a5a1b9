import type { Uses } from '../../ir/edit';
import type { Graph, Node } from '../../ir/graph';
import { type Tensor, tensorOf, viewAs } from '../../ir/tensor';
import { isRecurrent, layerOf } from '../../ops/facts';
import { unitsOf } from '../../ops/layer';

/** Weights of one layer while they are being scaled. */
export interface LayerWeights {
  readonly node: Node;
  readonly weight: Float32Array<ArrayBuffer>;
  readonly dims: readonly number[];
  readonly bias: Float32Array<ArrayBuffer> | undefined;
  /** Output channel that each weight makes, and input channel that it multiplies. */
  readonly channels: ReturnType<typeof unitsOf>;
}

/** Copies of a layer's constants; undefined when the node is no layer or shares its constants. */
export function layerWeights(graph: Graph, uses: Uses, node: Node): LayerWeights | undefined {
  const layer = layerOf(node);
  if (!layer?.axes || !layer.product || isRecurrent(node)) return undefined;
  const own = (name: string | undefined): Tensor | undefined => {
    const tensor = name ? graph.initializers.get(name) : undefined;
    return tensor?.type === 'float32' && uses.onlyConsumer(name!) === node ? tensor : undefined;
  };
  const weight = own(node.inputs[1]);
  const bias = own(node.inputs[2]);
  if (weight === undefined || typeof layer.product(weight.dims, 1) === 'string') return undefined;
  const channels = unitsOf(layer.axes, weight.dims);
  if (node.inputs[2] && bias?.dims.join() !== `${channels.units}`) return undefined;
  return {
    node,
    weight: viewAs(weight, 'float32').slice(),
    dims: weight.dims,
    bias: bias && viewAs(bias, 'float32').slice(),
    channels,
  };
}

/** The graph with these constants. */
export function withWeights(graph: Graph, layers: Iterable<LayerWeights>): Graph {
  const initializers = new Map(graph.initializers);
  for (const { node, weight, dims, bias } of layers) {
    initializers.set(node.inputs[1], tensorOf('float32', dims, weight));
    if (bias) initializers.set(node.inputs[2], tensorOf('float32', [bias.length], bias));
  }
  return { ...graph, initializers };
}
