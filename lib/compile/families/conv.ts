import { channelWeights, constantExtents, floatConstant, scaledIntegers } from '../constants';
import { type ConvolutionWeights, convolutionWeights } from '../convolution-weights';
import { floatBias, integerBias, requantizeOperands } from '../integer-layer';
import type { FamilyOf, Integers, LayerOf } from '../layer';
import { Unsupported } from '../unsupported';
import type { View } from '../view';
import { type Convolution, emitConvolution } from './convolution';
import { imageExtents } from './image';
import { imagesAsVolume, tapsAsChannels, tapWeights } from './volume';

/** Convolutions, one channel per group on kernels of their own. */
export const convFamily: FamilyOf<'conv'> = {
  ops: ['conv_s8', 'dwconv_s8', 'conv_f32', 'dwconv_f32'],
  integer: { operands: 'first', grid: 'result', lower: lowerInteger },
  float: { fuses: true, lower: lowerFloat },
};

/** Weights of a convolution over images, sequences or volumes. */
interface Weights {
  readonly geometry: ConvolutionWeights;
  /** Weights in ONNX order brought into plan order. */
  arrange<T extends Int8Array | Float32Array>(weights: T, Type: new (length: number) => T): T;
}

/** @throws Unsupported when the weights are not constant */
function weightsOf({ node, call, constants }: LayerOf<'conv'>): Weights {
  const dims = constantExtents(constants, node.inputs[1]);
  if (dims === undefined) throw new Unsupported(`the weights '${node.inputs[1]}' are not constant`);
  if (dims.length !== 5) {
    const geometry = convolutionWeights(imageExtents(dims), call.groups);
    return { geometry, arrange: geometry.arrange };
  }
  const [outputs, inputs, depth, h, w] = dims;
  const geometry = convolutionWeights([outputs, depth * inputs, h, w], call.groups);
  return { geometry, arrange: (weights, Type) => geometry.arrange(tapWeights(weights, dims, Type), Type) };
}

/** Emits the convolution; over volumes as one over images. `zero` is the number of what lies in the padding. */
function emit(
  layer: LayerOf<'conv'>,
  x: View,
  zero: number,
  convolution: Omit<Convolution, 'window' | 'groups'>,
): View {
  const { call, extents } = layer;
  const { depth } = call.window;
  if (depth === undefined) return emitConvolution(layer, x, { ...call, ...convolution });
  const [batch, channels, slices, ...spatial] = extents;
  const images = tapsAsChannels(layer, x, call.groups, depth, slices, zero);
  const made = emitConvolution(layer, images, {
    ...call,
    ...convolution,
    extents: [batch * slices, channels, ...spatial],
  });
  return imagesAsVolume(made, batch, slices);
}

function lowerInteger(layer: LayerOf<'conv'>, { operands: [x], grid }: Integers): () => View {
  const { node, program, constants } = layer;
  const [, weights, bias = ''] = node.inputs;
  const { geometry, arrange } = weightsOf(layer);
  const channels = channelWeights(constants, weights, 0, geometry.outputs);
  const others = requantizeOperands(program, node, {
    bias: integerBias(constants, bias, x.quantization.scale, channels.scales, grid.scale),
    weights: channels,
    input: x.quantization,
    output: grid,
  });
  return () => {
    const key = `${weights}:${geometry.depthwise ? 'depthwise' : 'convolution'}`;
    const arranged = layer.once(key, () => arrange(channels.values, Int8Array));
    const operand = program.constant(weights, 'int8', geometry.dims, arranged);
    return emit(layer, x, x.quantization.zeroPoint, { geometry, weights: operand, others, grid });
  };
}

function lowerFloat(layer: LayerOf<'conv'>): View {
  const { node, program, constants } = layer;
  const [, weights, bias = ''] = node.inputs;
  const { geometry, arrange } = weightsOf(layer);
  const x = layer.float();
  const arranged = arrange(floatConstant(constants, weights)!.data, Float32Array);
  const addend = floatBias(constants, bias, geometry.outputs);
  return emit(layer, x, 0, {
    geometry,
    weights: program.constant(weights, 'float32', geometry.dims, arranged, undefined, () =>
      scaledIntegers(constants, weights, arrange),
    ),
    others: [program.constant(bias || `${node.name}:bias`, 'float32', [geometry.outputs], addend)],
  });
}
