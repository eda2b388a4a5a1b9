import { channelWeights, constantExtents, floatConstant } from '../constants';
import { type ConvolutionWeights, convolutionWeights } from '../convolution-weights';
import { clampCodes, floatClamp } from '../grid';
import { floatBias, integerBias, requantizeOperands } from '../integer-layer';
import type { FamilyOf, Integers, LayerOf } from '../layer';
import { stepName } from '../step';
import { Unsupported } from '../unsupported';
import type { View } from '../view';
import { imageExtents, imageOperand, imageResult, planWindow } from './image';

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
  const { node, call, tail, program, constants } = layer;
  const [, weights, bias = ''] = node.inputs;
  const geometry = weightsOf(layer);
  const channels = channelWeights(constants, weights, 0, geometry.outputs);
  const requantization = requantizeOperands(program, node, {
    bias: integerBias(constants, bias, x.quantization.scale, channels.scales, grid.scale),
    weights: channels,
    input: x.quantization,
    output: grid,
  });
  return () => {
    const source = imageOperand(layer, x);
    const { operand, view } = imageResult(layer, grid);
    const key = `${weights}:${geometry.depthwise ? 'depthwise' : 'convolution'}`;
    const arranged = layer.once(key, () => geometry.arrange(channels.values, Int8Array));
    program.emit({
      name: stepName(node, tail),
      op: geometry.depthwise ? 'dwconv_s8' : 'conv_s8',
      outputs: [operand],
      inputs: [
        source,
        program.constant(weights, 'int8', geometry.dims, arranged),
        ...requantization,
        // Room for a residual.
        ...(geometry.depthwise ? [] : [undefined]),
      ],
      params: {
        window: planWindow(call.window, source, operand),
        groups: call.groups,
        clamp: clampCodes(tail.bounds, grid),
      },
    });
    return view;
  };
}

function lowerFloat(layer: LayerOf<'conv'>): View {
  const { node, call, tail, program, constants } = layer;
  const [, weights, bias = ''] = node.inputs;
  const geometry = weightsOf(layer);
  const source = imageOperand(layer, layer.float());
  const { operand, view } = imageResult(layer);
  const arranged = geometry.arrange(floatConstant(constants, weights)!.data, Float32Array);
  const addend = floatBias(constants, bias, geometry.outputs);
  program.emit({
    name: stepName(node, tail),
    op: geometry.depthwise ? 'dwconv_f32' : 'conv_f32',
    outputs: [operand],
    inputs: [
      source,
      program.constant(weights, 'float32', geometry.dims, arranged),
      program.constant(bias || `${node.name}:bias`, 'float32', [geometry.outputs], addend),
    ],
    params: { window: planWindow(call.window, source, operand), groups: call.groups, clamp: floatClamp(tail.bounds) },
  });
  return view;
}
