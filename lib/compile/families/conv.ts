import { channelWeights, constantExtents, floatConstant } from '../constants';
import { type ConvolutionWeights, convolutionWeights } from '../convolution-weights';
import { floatBias, integerBias, requantizeOperands } from '../integer-layer';
import type { FamilyOf, Integers, LayerOf } from '../layer';
import { Unsupported } from '../unsupported';
import type { View } from '../view';
import { emitConvolution } from './convolution';
import { imageExtents } from './image';

/** Convolutions, one channel per group on kernels of their own. */
export const convFamily: FamilyOf<'conv'> = {
  ops: ['conv_s8', 'dwconv_s8', 'conv_f32', 'dwconv_f32'],
  integer: { operands: 'first', grid: 'result', lower: lowerInteger },
  float: { fuses: true, lower: lowerFloat },
};

/** @throws Unsupported when the weights are not constant */
function weightsOf({ node, call, constants }: LayerOf<'conv'>): ConvolutionWeights {
  const dims = constantExtents(constants, node.inputs[1]);
  if (dims === undefined) throw new Unsupported(`the weights '${node.inputs[1]}' are not constant`);
  return convolutionWeights(imageExtents(dims), call.groups);
}

function lowerInteger(layer: LayerOf<'conv'>, { operands: [x], grid }: Integers): () => View {
  const { node, call, program, constants } = layer;
  const [, weights, bias = ''] = node.inputs;
  const geometry = weightsOf(layer);
  const channels = channelWeights(constants, weights, 0, geometry.outputs);
  const others = requantizeOperands(program, node, {
    bias: integerBias(constants, bias, x.quantization.scale, channels.scales, grid.scale),
    weights: channels,
    input: x.quantization,
    output: grid,
  });
  return () => {
    const key = `${weights}:${geometry.depthwise ? 'depthwise' : 'convolution'}`;
    const arranged = layer.once(key, () => geometry.arrange(channels.values, Int8Array));
    const operand = program.constant(weights, 'int8', geometry.dims, arranged);
    return emitConvolution(layer, x, { ...call, geometry, weights: operand, others, grid });
  };
}

function lowerFloat(layer: LayerOf<'conv'>): View {
  const { node, call, program, constants } = layer;
  const [, weights, bias = ''] = node.inputs;
  const geometry = weightsOf(layer);
  const x = layer.float();
  const arranged = geometry.arrange(floatConstant(constants, weights)!.data, Float32Array);
  const addend = floatBias(constants, bias, geometry.outputs);
  return emitConvolution(layer, x, {
    ...call,
    geometry,
    weights: program.constant(weights, 'float32', geometry.dims, arranged),
    others: [program.constant(bias || `${node.name}:bias`, 'float32', [geometry.outputs], addend)],
  });
}
