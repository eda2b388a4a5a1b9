import { attribute } from '../ir/attribute';
import { elementCount, tensorOf } from '../ir/tensor';
import { firstOf, transposedBorders } from './conv-gradient';
import { castTo, dimsOf, floats, int64s, repeatElements, reshapeTo, zerosOf } from './gradients';
import type { Emitter, GradientContext } from './operator';
import { poolSpatial, tilesInput } from './pooling';
import { type Spatial, windowTaps } from './spatial';

/**
 * Gradient of MaxPool. Windows that tile the input: outputs are repeated over their windows and compared with the input,
 * which avoids the Indices output (it makes the forward pass many times slower); equal maxima share the gradient.
 * Otherwise: indices and a scatter with addition, where the first maximum takes all.
 */
export function maxPoolGradient({ node, emit, outputGradients }: GradientContext): string[] {
  const x = node.inputs[0];
  const dy = outputGradients[0]!;
  const xDims = dimsOf(emit, x);
  const spatial = poolSpatial(node, xDims);
  return [tilesInput(spatial) ? fromTiles(emit, node.outputs[0], x, dy, spatial) : fromIndices()];

  function fromIndices(): string {
    const attributes = Object.fromEntries(node.attributes);
    const [, indices] = emit.nodes('MaxPool', [x], 2, { ...attributes, storage_order: 0 });
    const flat = [indices, dy].map((value) => reshapeTo(emit, value, [elementCount(dimsOf(emit, dy))]));
    const zero = zerosOf(emit, [elementCount(xDims)]);
    return reshapeTo(emit, emit.node('ScatterElements', [zero, ...flat], { axis: 0, reduction: 'add' }), xDims);
  }
}

function fromTiles(emit: Emitter, y: string, x: string, dy: string, spatial: Spatial): string {
  const covered = spatial.output.map((count, axis) => count * spatial.kernel[axis]);
  const image = firstOf(emit, x, covered);
  const isMaximum = emit.node('Equal', [image, repeat(emit, y, spatial.kernel)]);
  const mask = castTo(emit, isMaximum, 'float32');
  const perMaximum = emit.node('Div', [dy, sumTiles(emit, mask, spatial)]);
  const dx = emit.node('Mul', [mask, repeat(emit, perMaximum, spatial.kernel)]);
  return restore(emit, dx, spatial);
}

/** Up to this many windows in a row, their sums are quicker as a matrix product. */
const MAX_WINDOWS_FOR_PRODUCT = 64;

/**
 * Sum of every window of windows that tile `value`. Rows of windows times a matrix of ones and zeros: that is four times as
 * fast as AveragePool in onnxruntime, although most of the products are zero.
 */
export function sumTiles(emit: Emitter, value: string, { output, kernel }: Pick<Spatial, 'output' | 'kernel'>): string {
  const [windows, extent] = [output.at(-1)!, kernel.at(-1)!];
  const dims = dimsOf(emit, value);
  const pooled = [...dims.slice(0, 2), ...output];
  if (output.length > 2 || windows > MAX_WINDOWS_FOR_PRODUCT) {
    const mean = emit.node('AveragePool', [value], { kernel_shape: kernel, strides: kernel });
    return emit.node('Mul', [mean, floats(emit, [elementCount(kernel)])]);
  }
  const row = windows * elementCount(kernel);
  const members = new Float32Array(row * windows);
  for (let at = 0; at < row; at++) members[at * windows + Math.floor((at % (windows * extent)) / extent)] = 1;
  const rows = reshapeTo(emit, value, [elementCount(pooled) / windows, row]);
  return reshapeTo(
    emit,
    emit.node('MatMul', [rows, emit.constant(tensorOf('float32', [row, windows], members))]),
    pooled,
  );
}

/**
 * Gradient of AveragePool: each window hands its gradient, divided by its number of elements, to all of them. That is a
 * repetition for windows that tile the input, else a ConvTranspose with a kernel of ones per channel.
 */
export function averagePoolGradient({ node, emit, outputGradients }: GradientContext): string[] {
  const xDims = dimsOf(emit, node.inputs[0]);
  const spatial = poolSpatial(node, xDims);
  const share = emit.node('Mul', [outputGradients[0]!, inverseCounts(emit, spatial, includesPadding(node))]);
  if (tilesInput(spatial)) return [restore(emit, repeat(emit, share, spatial.kernel), spatial)];
  const channels = xDims[1];
  const taps = elementCount(spatial.kernel);
  const ones = tensorOf('float32', [channels, 1, ...spatial.kernel], new Float32Array(channels * taps).fill(1));
  return [
    emit.node('ConvTranspose', [share, emit.constant(ones)], {
      kernel_shape: spatial.kernel,
      strides: spatial.strides,
      dilations: spatial.dilations,
      group: channels,
      ...transposedBorders(spatial),
    }),
  ];
}

function includesPadding(node: GradientContext['node']): boolean {
  return attribute(node, 'count_include_pad', 'int', 0) !== 0;
}

/** One over the number of elements of each window, in the shape of an output plane; a scalar when all are equal. */
function inverseCounts(emit: Emitter, spatial: Spatial, includePadding: boolean): string {
  const inverse = windowCounts(spatial, includePadding).map((count) => 1 / count);
  if (inverse.every((value) => value === inverse[0])) return floats(emit, [inverse[0]]);
  return floats(emit, inverse, spatial.output);
}

/** Number of elements that each window averages over: those inside the input, or inside input and padding. */
export function windowCounts(spatial: Spatial, includePadding: boolean): number[] {
  if (!includePadding) return windowTaps(spatial).map((taps) => taps.length);
  const { input, padsBegin, padsEnd } = spatial;
  const padded = input.map((extent, axis) => padsBegin[axis] + extent + padsEnd[axis]);
  return windowTaps({ ...spatial, input: padded, padsBegin: padded.map(() => 0) }).map((taps) => taps.length);
}

/** Repeats every element of the spatial axes as often as `times` says. */
function repeat(emit: Emitter, value: string, times: readonly number[]): string {
  return repeatElements(emit, value, [1, 1, ...times]);
}

/** Zeros for the rest of the input that no window reached. */
function restore(emit: Emitter, value: string, { input, output, kernel }: Spatial): string {
  const rest = input.map((extent, axis) => extent - output[axis] * kernel[axis]);
  if (rest.every((extent) => extent === 0)) return value;
  return emit.node('Pad', [value, int64s(emit, [0, 0, ...rest.map(() => 0), 0, 0, ...rest])]);
}
