import type { Node } from '../ir/graph';
import type { KernelCall, Window } from '../ops/operator';
import type { PlanWindow } from '../plan/description';
import { integerBias, requantizeOperands } from './integer-layer';
import {
  canonicalWeights,
  clampOf,
  floatClamp,
  type Lowering,
  type QuantizedView,
  type Tail,
  Unsupported,
} from './lowering';
import type { Operand, Quantization } from './step';
import { channelsLastOrder, stridedView, type View } from './view';

type Call<K extends KernelCall['kernel']> = Extract<KernelCall, { kernel: K }>;

/** Lowers a convolution: int8 when input, weights and result are quantized, else float. */
export function lowerConvolution(state: Lowering, node: Node, call: Call<'conv'>): void {
  const [input, weights, bias = ''] = node.inputs;
  const tail = state.tail(node.outputs[0]);
  const x = state.integer(input);
  const integers = state.quantizedConstant(weights);
  const canonical = integers && canonicalWeights(integers);
  const dims = state.floatConstant(weights)?.dims;
  if (dims === undefined) throw new Unsupported(`the weights '${weights}' are not constant`);
  const geometry = convolutionGeometry(dims, call);
  if (x !== undefined && integers !== undefined && canonical !== undefined && tail.quantize !== undefined) {
    const source = imageOperand(state, x);
    const output = imageResult(state, node, tail, tail.quantize.quantization);
    const scales = geometry.permuteScales(integers.scales, integers.axis, dims);
    const arranged = geometry.arrange(canonical.values, Int8Array);
    const zeroPoints = geometry.permuteScales(canonical.zeroPoints, integers.axis, dims);
    const accumulatorBias = integerBias(state, bias, x.quantization.scale, scales);
    state.emit({
      name: stepName(node, tail),
      op: geometry.depthwise ? 'dwconv_s8' : 'conv_s8',
      outputs: [output.operand],
      inputs: [
        source,
        state.constant(weights, 'int8', geometry.dims, arranged),
        ...requantizeOperands(state, node, {
          bias: accumulatorBias,
          scales,
          zeroPoints,
          input: x.quantization,
          output: tail.quantize.quantization,
          weightsOf: geometry.weightsOf(arranged),
        }),
        ...(geometry.depthwise ? [] : [undefined]),
      ],
      params: {
        window: planWindow(call.window),
        groups: call.groups,
        clamp: clampOf(tail.bounds, tail.quantize.quantization),
      },
    });
    finishInteger(state, tail, { ...output.view, quantization: tail.quantize.quantization });
    return;
  }
  const source = imageOperand(state, state.float(input));
  const output = imageResult(state, node, tail, undefined);
  const floatBias = bias === '' ? new Float32Array(dims[0]) : state.floatConstant(bias)?.data;
  if (floatBias === undefined) throw new Unsupported(`the bias '${bias}' is not constant`);
  state.emit({
    name: stepName(node, tail, true),
    op: geometry.depthwise ? 'dwconv_f32' : 'conv_f32',
    outputs: [output.operand],
    inputs: [
      source,
      state.constant(
        weights,
        'float32',
        geometry.dims,
        geometry.arrange(state.floatConstant(weights)!.data, Float32Array),
      ),
      state.constant(bias || `${node.name}:bias`, 'float32', [dims[0]], floatBias),
    ],
    params: { window: planWindow(call.window), groups: call.groups, clamp: floatClamp(tail.bounds) },
  });
  finishFloat(state, tail, output.view);
}

/** Lowers a max pool: on int8 it keeps scale and zero point, so nothing but bytes move. */
export function lowerMaxPool(state: Lowering, node: Node, call: Call<'max-pool'>): void {
  const x = state.integer(node.inputs[0]);
  const view = x ?? state.float(node.inputs[0]);
  const operand = imageOperand(state, view);
  const output = imageResult(state, node, undefined, x?.quantization);
  const rest = {
    name: node.name,
    outputs: [output.operand],
    inputs: [operand],
    params: { window: planWindow(call.window) },
  };
  if (x === undefined) {
    state.emit({ ...rest, op: 'max_pool_f32' });
    state.setFloat(node.outputs[0], output.view);
  } else {
    state.emit({ ...rest, op: 'max_pool_s8' });
    state.setInteger(node.outputs[0], { ...output.view, quantization: x.quantization });
  }
}

/** Lowers an average or global average pool: int8 when its result is quantized. */
export function lowerAveragePool(state: Lowering, node: Node, call: Call<'average-pool'>): void {
  const tail = state.tail(node.outputs[0]);
  const x = state.integer(node.inputs[0]);
  const extents = state.extents(node.inputs[0]);
  const window = call.global ? globalWindow(extents) : call.window;
  const params = { window: planWindow(window), countIncludePad: call.countIncludePad };
  if (x !== undefined && tail.quantize !== undefined) {
    const { quantization } = tail.quantize;
    const operand = imageOperand(state, x);
    const output = imageResult(state, node, tail, quantization);
    state.emit({
      name: stepName(node, tail),
      op: 'average_pool_s8',
      outputs: [output.operand],
      inputs: [operand],
      params: { ...params, clamp: clampOf(tail.bounds, quantization) },
    });
    finishInteger(state, tail, { ...output.view, quantization });
    return;
  }
  const operand = imageOperand(state, state.float(node.inputs[0]));
  const output = imageResult(state, node, undefined, undefined);
  state.emit({ name: node.name, op: 'average_pool_f32', outputs: [output.operand], inputs: [operand], params });
  state.setFloat(node.outputs[0], output.view);
}

/** Name of a step: the nodes that it computes. The Q at the end counts unless the step is a float one. */
export function stepName(node: Node, tail: Tail, float = false): string {
  const nodes = float ? tail.nodes.filter((other) => other.op !== 'QuantizeLinear') : tail.nodes;
  return [node, ...nodes.filter((other) => other.op !== 'QuantizeLinear')].map((other) => other.name).join('+');
}

/** Records an int8 result that ends a tail with quantization. */
export function finishInteger(state: Lowering, tail: Tail, view: QuantizedView): void {
  state.absorb(tail.nodes);
  state.setInteger(tail.value, view);
  state.setInteger(tail.quantize!.value, view);
}

/** Records a float result; the Q that may follow is lowered by itself. */
export function finishFloat(state: Lowering, tail: Tail, view: View): void {
  state.absorb(tail.nodes.filter((node) => node.op !== 'QuantizeLinear'));
  state.setFloat(tail.value, view);
}

function planWindow(window: Window): PlanWindow {
  const { kernel, stride, dilation, pads } = window;
  return { kernel, stride, dilation, pad: [pads[0], pads[1]] };
}

function globalWindow(extents: readonly number[]): Window {
  const [h, w] = imageExtents(extents).slice(2);
  return { kernel: [h, w], stride: [1, 1], dilation: [1, 1], pads: [0, 0, 0, 0] };
}

/** [N, C, H, W] of an image or of a sequence [N, C, L] (one row). */
function imageExtents(extents: readonly number[]): [number, number, number, number] {
  if (extents.length === 3) return [extents[0], extents[1], 1, extents[2]];
  if (extents.length === 4) return extents as [number, number, number, number];
  throw new Unsupported(`windows over ${extents.length - 2} spatial dimensions (the engine has 1 and 2)`);
}

/** A view as [N, H, W, C] operand. */
function imageOperand(state: Lowering, view: View): Operand {
  const extents = view.dims.map((factors) => factors.reduce((product, factor) => product * factor.extent, 1));
  const [n, c, h, w] = imageExtents(extents);
  return { buffer: state.arrange(view, channelsLastOrder(extents.length)).buffer, dims: [n, h, w, c] };
}

/** A new channels-last buffer for the result of `node` (after its tail). */
function imageResult(
  state: Lowering,
  node: Node,
  tail: Tail | undefined,
  quantization: Quantization | undefined,
): { operand: Operand; view: View } {
  const extents = state.extents(node.outputs[0]);
  const [n, c, h, w] = imageExtents(extents);
  const name = quantization && tail?.quantize ? tail.quantize.value : (tail?.value ?? node.outputs[0]);
  const buffer = state.buffer(name, quantization ? 'int8' : 'float32', n * c * h * w, quantization);
  return {
    operand: { buffer, dims: [n, h, w, c] },
    view: stridedView(buffer, extents, channelsLastOrder(extents.length)),
  };
}

interface ConvolutionGeometry {
  readonly depthwise: boolean;
  /** Physical extents of the weights in the plan. */
  readonly dims: readonly number[];
  /** ONNX weights [O, I/g, KH, KW] in plan order: [O, KH, KW, I/g], depthwise [KH, KW, C]. */
  arrange<T extends Int8Array | Float32Array>(weights: T, Type: new (length: number) => T): T;
  /** Per-tensor or per-channel values as one per output channel. */
  permuteScales(values: readonly number[], axis: number, dims: readonly number[]): number[];
  /** Weights of one output channel in plan order. */
  weightsOf(weights: Int8Array): (channel: number) => Int8Array;
}

function convolutionGeometry(dims: readonly number[], call: Call<'conv'>): ConvolutionGeometry {
  const [outputs, inputs, kernelH, kernelW] = imageExtents(dims);
  const depthwise = inputs === 1 && call.groups === outputs && call.groups > 1;
  const taps = kernelH * kernelW;
  return {
    depthwise,
    dims: depthwise ? [kernelH, kernelW, outputs] : [outputs, kernelH, kernelW, inputs],
    arrange(weights, Type) {
      const arranged = new Type(weights.length);
      for (let o = 0; o < outputs; o++)
        for (let i = 0; i < inputs; i++)
          for (let t = 0; t < taps; t++)
            arranged[depthwise ? t * outputs + o : (o * taps + t) * inputs + i] = weights[(o * inputs + i) * taps + t];
      return arranged;
    },
    permuteScales(values, axis) {
      if (values.length === 1) return new Array<number>(outputs).fill(values[0]);
      if (axis !== 0 || values.length !== outputs)
        throw new Unsupported(`weights quantized along axis ${axis} with ${values.length} scales (expected axis 0)`);
      return [...values];
    },
    weightsOf(weights) {
      const depth = taps * inputs;
      return (channel) =>
        depthwise
          ? Int8Array.from({ length: taps }, (_, t) => weights[t * outputs + channel])
          : weights.subarray(channel * depth, (channel + 1) * depth);
    },
  };
}
