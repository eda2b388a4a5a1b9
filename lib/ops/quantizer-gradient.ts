import type { Diagnostic } from '../core/diagnostic';
import { elementCount, type Tensor, tensorFrom } from '../ir/tensor';
import { normalizeAxis } from './axes';
import { castTo, dimsOf, reshapeTo, sumOver } from './gradients';
import type { Emitter, GradientContext } from './operator';
import { integerRange, scaleLayout } from './quantizer';
import { problem } from './schema';

/**
 * Gradients of QuantizeLinear with rounding counted as identity. Codes carry the gradient of the real numbers that they stand
 * for, so that a pair of QuantizeLinear and DequantizeLinear passes it on to the elements inside the range, and the gradients
 * of its two scales add up to that of learned step sizes (Esser et al. 2020, "Learned Step Size Quantization", equation 3):
 * `sum dy (round(x/s) - x/s)` inside and `sum dy (limit - zero point)` outside.
 */
export function quantizationGradient(context: GradientContext): readonly (string | undefined)[] | Diagnostic {
  const { node, emit, outputGradients, wants } = context;
  const [x, scale, zeroPoint = ''] = node.inputs;
  const { type } = emit.typeOf(node.outputs[0]);
  if (scaleLayout(node).block > 0) return blocked(context);
  if (type !== 'uint8' && type !== 'int8')
    return problem(node, 'missing-gradient', `codes of type ${type} have no gradient`);
  const range = integerRange(type);
  const [low, high] = range.map((code) =>
    boundOf(
      context,
      [scale, zeroPoint],
      tensorFrom(type, dimsOf(emit, scale), new Array(elementCount(dimsOf(emit, scale))).fill(code)),
    ),
  );
  const inside = emit.node('And', [emit.node('GreaterOrEqual', [x, low]), emit.node('LessOrEqual', [x, high])]);
  const passed = emit.node('Mul', [outputGradients[0]!, castTo(emit, inside, 'float32')]);
  return [passed, wants(1) ? emit.node('Neg', [scaleGradient(context, passed, x)]) : undefined, undefined];
}

/** Gradients of DequantizeLinear: that of the codes (see `quantizationGradient`) and `sum dy (code - zero point)`. */
export function dequantizationGradient(context: GradientContext): readonly (string | undefined)[] | Diagnostic {
  const { node, outputGradients, wants } = context;
  if (scaleLayout(node).block > 0) return blocked(context);
  const gradient = outputGradients[0]!;
  return [gradient, wants(1) ? scaleGradient(context, gradient, node.outputs[0]) : undefined, undefined];
}

function blocked({ node }: GradientContext): Diagnostic {
  return problem(node, 'missing-gradient', 'scales per block have no gradient');
}

/** The real numbers of codes, shaped so that they broadcast to the elements. */
function boundOf(context: GradientContext, [scale, zeroPoint]: readonly string[], codes: Tensor): string {
  const { emit } = context;
  const { dims } = codes;
  const inputs = [emit.constant(codes), scale, ...(zeroPoint === '' ? [] : [zeroPoint])];
  const real = emit.node('DequantizeLinear', inputs, dims.length > 0 ? { axis: 0 } : {});
  return reshapeTo(emit, real, channelDims(context, dims));
}

/** `sum gradient * value / scale` over the elements of each scale. */
function scaleGradient(context: GradientContext, gradient: string, value: string): string {
  const { node, emit } = context;
  const scale = node.inputs[1];
  const [elements, scales] = [dimsOf(emit, value), dimsOf(emit, scale)];
  if (elementCount(scales) > 1) {
    const channel = channelDims(context, scales).findIndex((dim) => dim > 1);
    const others = elements.flatMap((_, axis) => (axis === channel ? [] : [axis]));
    return emit.node('Div', [sumOver(emit, emit.node('Mul', [gradient, value]), others), scale]);
  }
  // A dot product reads both once and writes nothing; with the right side as a row too, onnxruntime has 14 times its speed.
  const count = elementCount(elements);
  const [left, right] = [gradient, value].map((each) => reshapeTo(emit, each, [1, count]));
  const dot = emit.node('Gemm', [left, right], { transB: 1 });
  return emit.node('Div', [reshapeTo(emit, dot, scales), scale]);
}

/** Extents of the scales with those of the other axes as 1. */
function channelDims({ node, emit }: { node: GradientContext['node']; emit: Emitter }, scales: readonly number[]) {
  if (elementCount(scales) === 1) return [];
  const elements = dimsOf(emit, node.inputs[0]);
  const axis = normalizeAxis(scaleLayout(node).axis, elements.length)!;
  return elements.map((dim, at) => (at === axis ? dim : 1));
}
