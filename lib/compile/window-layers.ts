import type { Node } from '../ir/graph';
import { elementCount } from '../ir/tensor';
import type { KernelCall, Window } from '../ops/operator';
import type { PlanWindow } from '../plan/description';
import { channelWeights, constantExtents, floatConstant } from './constants';
import { type ConvolutionWeights, convolutionWeights } from './convolution-weights';
import { clampOf, floatClamp } from './grid';
import { floatBias, integerBias, requantizeOperands } from './integer-layer';
import type { Lowering } from './lowering';
import { type Operand, type Quantization, stepName } from './step';
import { Unsupported } from './unsupported';
import { channelsLastOrder, extentsOf, stridedView, type View } from './view';

/** Bounds of the loader of plans (`native/engine/plan.h`): positions of a window, and elements of an average. */
const WINDOW_REACH = 2 ** 30;
const POOL_AREA = 2 ** 23;

type Call<K extends KernelCall['kernel']> = Extract<KernelCall, { kernel: K }>;

/** Lowers a convolution: int8 when input, weights and result are quantized, else float. */
export function lowerConvolution(state: Lowering, node: Node, call: Call<'conv'>): void {
  const { network } = state;
  const dims = constantExtents(network, node.inputs[1]);
  if (dims === undefined) throw new Unsupported(`the weights '${node.inputs[1]}' are not constant`);
  const weights = convolutionWeights(imageExtents(dims), call.groups);
  if (!lowerIntegerConvolution(state, node, call, weights)) lowerFloatConvolution(state, node, call, weights);
}

/** Emits an int8 convolution; false, with nothing done, when some of its tensors are not quantized. */
function lowerIntegerConvolution(
  state: Lowering,
  node: Node,
  call: Call<'conv'>,
  geometry: ConvolutionWeights,
): boolean {
  const { network, program } = state;
  const [input, weights, bias = ''] = node.inputs;
  const tail = network.tail(node.outputs[0]);
  if (tail.quantize === undefined) return false;
  const x = state.integer(input);
  const channels = x && channelWeights(network, weights, 0, geometry.outputs);
  if (x === undefined || channels === undefined) return false;
  const { value, quantization } = tail.quantize;
  const arranged = geometry.arrange(channels.values, Int8Array);
  const requantization = state.tryInteger(node, () =>
    requantizeOperands(program, node, {
      bias: integerBias(network, bias, x.quantization.scale, channels.scales, quantization.scale),
      weights: channels,
      input: x.quantization,
      output: quantization,
      weightsOf: geometry.weightsOf(arranged),
    }),
  );
  if (requantization === undefined) return false;
  const source = imageOperand(state, x);
  const { operand, view } = imageResult(state, node, value, quantization);
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
      clamp: clampOf(tail.bounds, quantization),
    },
  });
  state.finishInteger(tail, { ...view, quantization });
  return true;
}

function lowerFloatConvolution(state: Lowering, node: Node, call: Call<'conv'>, geometry: ConvolutionWeights): void {
  const { network, program } = state;
  const [input, weights, bias = ''] = node.inputs;
  const tail = network.tail(node.outputs[0]);
  const source = imageOperand(state, state.float(input));
  const { operand, view } = imageResult(state, node, tail.value);
  const arranged = geometry.arrange(floatConstant(network, weights)!.data, Float32Array);
  const addend = floatBias(network, bias, geometry.outputs);
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
  state.finishFloat(tail, view);
}

/** Lowers a max pool: on int8 it keeps scale and zero point, so nothing but bytes move. */
export function lowerMaxPool(state: Lowering, node: Node, call: Call<'max-pool'>): void {
  const [input] = node.inputs;
  const [output] = node.outputs;
  const integer = state.integer(input);
  const source = imageOperand(state, integer ?? state.float(input));
  const { operand, view } = imageResult(state, node, output, integer?.quantization);
  const step = {
    name: node.name,
    outputs: [operand],
    inputs: [source],
    params: { window: planWindow(call.window, source, operand) },
  };
  state.program.emit({ ...step, op: integer === undefined ? 'max_pool_f32' : 'max_pool_s8' });
  if (integer === undefined) state.setFloat(output, view);
  else state.setInteger(output, { ...integer, ...view });
}

/** Lowers an average or global average pool: int8 when its result is quantized. */
export function lowerAveragePool(state: Lowering, node: Node, call: Call<'average-pool'>): void {
  const { network, program } = state;
  const [input] = node.inputs;
  const [output] = node.outputs;
  const tail = network.tail(output);
  const { countIncludePad } = call;
  const x = tail.quantize && state.integer(input);
  if (x !== undefined && isUsableRatio(x.quantization.scale / tail.quantize!.quantization.scale)) {
    const { value, quantization } = tail.quantize!;
    const source = imageOperand(state, x);
    const { operand, view } = imageResult(state, node, value, quantization);
    program.emit({
      name: stepName(node, tail),
      op: 'average_pool_s8',
      outputs: [operand],
      inputs: [source],
      params: {
        window: poolWindow(call.window, source, operand),
        countIncludePad,
        clamp: clampOf(tail.bounds, quantization),
      },
    });
    state.finishInteger(tail, { ...view, quantization });
    return;
  }
  const source = imageOperand(state, state.float(input));
  const { operand, view } = imageResult(state, node, output);
  const params = { window: poolWindow(call.window, source, operand), countIncludePad };
  program.emit({ name: node.name, op: 'average_pool_f32', outputs: [operand], inputs: [source], params });
  state.setFloat(output, view);
}

/** Whether a factor between two scales is a positive number in float32: grids far apart average in float. */
function isUsableRatio(ratio: number): boolean {
  const single = Math.fround(ratio);
  return single > 0 && Number.isFinite(single);
}

/**
 * The window over `x` [N, H, W, C] that gives `y`; bottom and right padding follow from the extents.
 * @throws Unsupported for windows that the loader of plans refuses
 */
function planWindow({ kernel, stride, dilation, pads }: Window, x: Operand, y: Operand): PlanWindow {
  // The step of a window that stands in one place means nothing, however large.
  const steps = stride.map((step, axis) => (y.dims[axis + 1] === 1 ? 1 : step)) as [number, number];
  const padded = [0, 1].map((axis) => {
    const reach = (y.dims[axis + 1] - 1) * steps[axis] + (kernel[axis] - 1) * dilation[axis];
    const largest = Math.max(kernel[axis], dilation[axis], pads[axis], reach, x.dims[axis + 1]);
    if (largest >= WINDOW_REACH) throw new Unsupported(`its window reaches over ${largest} elements`);
    return pads[axis] + reach + 1;
  });
  const limit = 64 * (elementCount(x.dims) + elementCount(y.dims)) + 2 ** 20;
  if (padded[0] * padded[1] * x.dims[3] > limit) throw new Unsupported('its padding is out of proportion to its input');
  return { kernel, stride: steps, dilation, pad: [pads[0], pads[1]] };
}

/** @throws Unsupported for windows that the loader of plans refuses */
function poolWindow(window: Window, x: Operand, y: Operand): PlanWindow {
  const area = window.kernel[0] * window.kernel[1];
  if (area > POOL_AREA)
    throw new Unsupported(`its window has ${area} elements (the engine averages up to ${POOL_AREA})`);
  return planWindow(window, x, y);
}

/** [N, C, H, W] of an image or of a sequence [N, C, L] (one row). */
function imageExtents(extents: readonly number[]): [number, number, number, number] {
  if (extents.length === 3) return [extents[0], extents[1], 1, extents[2]];
  if (extents.length === 4) return extents as [number, number, number, number];
  throw new Unsupported(`windows over ${extents.length - 2} spatial dimensions (the engine has 1 and 2)`);
}

/** A view as [N, H, W, C] operand. */
function imageOperand(state: Lowering, view: View): Operand {
  const extents = extentsOf(view);
  const [n, c, h, w] = imageExtents(extents);
  return { buffer: state.program.arrange(view, channelsLastOrder(extents.length)).buffer, dims: [n, h, w, c] };
}

/** A new channels-last buffer named `name` with the extents of the node's result: int8 with a grid, else float. */
function imageResult(
  state: Lowering,
  node: Node,
  name: string,
  quantization?: Quantization,
): { operand: Operand; view: View } {
  const extents = state.network.extents(node.outputs[0]);
  const [n, c, h, w] = imageExtents(extents);
  const type = quantization ? 'int8' : 'float32';
  const buffer = state.program.buffer(name, type, elementCount(extents), quantization);
  return {
    operand: { buffer, dims: [n, h, w, c] },
    view: stridedView(buffer, extents, channelsLastOrder(extents.length)),
  };
}
