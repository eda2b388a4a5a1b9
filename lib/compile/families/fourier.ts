import { elementCount } from '../../ir/tensor';
import { convolutionWeights } from '../convolution-weights';
import type { FamilyOf, LayerOf } from '../layer';
import { extentsOf, type Factor, naturalOrder, plainView, stridesOf, transposeView, type View } from '../view';
import { cuttable, part } from './assemble';
import { emitConvolution } from './convolution';

/**
 * Fourier transforms as products with a constant matrix. Frames that overlap are not written out: a signal cut into pieces of
 * the greatest common divisor of frame and step is a sequence, and its frames are windows of a convolution over it.
 */
export const fourierFamily: FamilyOf<'fourier'> = {
  ops: ['conv_f32'],
  float: {
    fuses: true,
    lower: (layer) => (layer.call.step === undefined ? transformRows(layer) : transformFrames(layer, layer.call.step)),
  },
};

/** One factor along an axis of the result. */
type Dim = readonly Factor[];

/** Frames of a signal [N, length] or [N, length, parts]. */
function transformFrames(layer: LayerOf<'fourier'>, step: number): View {
  const { terms, parts } = layer.call;
  const [batch, length] = layer.inputExtents(0);
  const size = greatestDivisor(terms, step);
  const pieces = Math.floor(length / size);
  const signal = firstElements(layer, layer.float(), 1, pieces * size);
  const rows = layer.program.rowMajor(signal);
  const sequence = transposeView(plainView(rows.buffer, [batch, pieces, size * parts]), [0, 2, 1]);
  const [, frames] = layer.extents;
  const made = multiply(layer, sequence, { taps: terms / size, channels: size * parts, stride: step / size, frames });
  const [n, , , frame] = made.dims;
  return { ...made, dims: [n, frame, ...frequenciesOf(layer, made)] };
}

/** Every line along an axis. */
function transformRows(layer: LayerOf<'fourier'>): View {
  const { axis, terms, parts } = layer.call;
  const given = firstElements(layer, layer.float(), axis, terms);
  const last = given.dims.length - 1;
  const others = naturalOrder(last).filter((other) => other !== axis);
  const rows = layer.program.rowMajor(transposeView(given, [...others, axis, last]));
  const extents = extentsOf(given);
  const leading = others.map((other) => extents[other]);
  const count = elementCount(leading);
  const sequence = transposeView(plainView(rows.buffer, [1, count, terms * parts]), [0, 2, 1]);
  const made = multiply(layer, sequence, { taps: 1, channels: terms * parts, stride: 1, frames: count });
  const [, , , [{ stride }]] = made.dims;
  const strides = stridesOf(leading, naturalOrder(leading.length));
  const dims: Dim[] = leading.map((extent, index) => [{ extent, stride: strides[index] * stride }]);
  const [frequencies, part] = frequenciesOf(layer, made);
  return { ...made, dims: [...dims.toSpliced(axis, 0, frequencies), part] };
}

/** The first `count` elements along an axis. */
function firstElements({ program }: LayerOf<'fourier'>, view: View, axis: number, count: number): View {
  const extents = extentsOf(view);
  if (extents[axis] === count) return view;
  return part(
    cuttable(program, view, [axis]),
    extents.map(() => 0),
    extents.with(axis, count),
  );
}

/** The convolution of a sequence [N, channels, length] with the matrix. */
function multiply(
  layer: LayerOf<'fourier'>,
  sequence: View,
  { taps, channels, stride, frames }: { taps: number; channels: number; stride: number; frames: number },
): View {
  const { call, program, node } = layer;
  const outputs = 2 * call.frequencies;
  const geometry = convolutionWeights([outputs, channels, 1, taps], 1);
  return emitConvolution(layer, sequence, {
    window: { kernel: [1, taps], stride: [1, stride], dilation: [1, 1], pads: [0, 0, 0, 0] },
    groups: 1,
    geometry,
    // Its columns are elements, then parts: just what a window has one behind the other.
    weights: program.constant(`${node.name}:transform`, 'float32', geometry.dims, call.matrix()),
    others: [program.constant(`${node.name}:bias`, 'float32', [outputs], new Float32Array(outputs))],
    extents: [extentsOf(sequence)[0], outputs, 1, frames],
  });
}

/**
 * The channels of the product as frequencies and parts. All real parts come first: what follows mostly makes one number of two,
 * of neighbouring frequencies at once.
 */
function frequenciesOf({ call }: LayerOf<'fourier'>, made: View): readonly [Dim, Dim] {
  const [, [{ stride }]] = made.dims;
  const { frequencies } = call;
  return [[{ extent: frequencies, stride }], [{ extent: 2, stride: frequencies * stride }]];
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
