import { attribute } from '../ir/attribute';
import { elementCount } from '../ir/tensor';
import type { ConvLayer } from './conv-gradient-context';
import { hasSmallPlanes, smallPlanesInputGradient, smallPlanesWeightGradient } from './depthwise-gradient';
import { cut, dimsOf, int64s, reshapeTo, sumOver, transposeTo } from './gradients';
import type { Emitter, GradientContext } from './operator';
import { dilatedExtent, forEachIndex, resolveSpatial, type Spatial } from './spatial';

/** Gradients of Conv, built from operators that run fast on a CPU: Gemm for weights, Conv or ConvTranspose for inputs. */
export function convGradient({ node, emit, outputGradients, wants }: GradientContext): (string | undefined)[] {
  const [x, w] = node.inputs;
  const dy = outputGradients[0]!;
  const [xDims, wDims] = [dimsOf(emit, x), dimsOf(emit, w)];
  const spatial = resolveSpatial(node, xDims.slice(2), wDims.slice(2));
  const layer: ConvLayer = { emit, group: attribute(node, 'group', 'int', 1), xDims, wDims, spatial };
  return [
    wants(0) ? inputGradient(layer, w, dy) : undefined,
    wants(1) ? weightGradient(layer, x, dy) : undefined,
    wants(2) ? sumOver(emit, dy, [0, ...xDims.slice(2).map((_, axis) => axis + 2)]) : undefined,
  ];
}

/**
 * dW as products of shifted inputs with dY. The batch becomes the innermost axis first: then every shifted view consists of
 * long contiguous runs, which is worth a factor of 1.5 to 4 over other layouts.
 */
export function weightGradient(layer: ConvLayer, x: string, dy: string): string {
  if (hasSmallPlanes(layer)) return smallPlanesWeightGradient(layer, x, dy);
  const { emit, group, xDims, wDims, spatial } = layer;
  const [batch, channels] = xDims;
  const filters = wDims[0];
  const columns = elementCount(spatial.output) * batch;
  const innermostBatch = [1, ...spatial.input.map((_, axis) => axis + 2), 0];
  const image = pad(layer, transposeTo(emit, x, innermostBatch));
  const signal = reshapeTo(emit, transposeTo(emit, dy, innermostBatch), [filters, columns]);
  const taps = elementCount(spatial.kernel);
  if (group === 1 && channels >= MIN_CHANNELS_FOR_SLICES && taps < MIN_TAPS_FOR_GATHER)
    return fromSlices(layer, image, signal, columns);

  const perGroup = channels / group;
  if (group === 1) return fromPatches(layer, image, signal);
  const patches = gatherPatches(layer, image);
  const perGroupFilters = filters / group;
  const left = reshapeTo(emit, patches, [group, perGroup * taps, columns]);
  const right = swapLast(emit, reshapeTo(emit, signal, [group, perGroupFilters, columns]));
  return reshapeTo(emit, swapLast(emit, emit.node('MatMul', [left, right])), wDims);
}

/** Below this many channels one gathered product beats one product per kernel tap. */
const MIN_CHANNELS_FOR_SLICES = 8;
/** From this many kernel taps on, the slices cost more than one gather of everything. */
const MIN_TAPS_FOR_GATHER = 25;

/** One Slice and one Gemm per kernel tap: nothing is copied more than once. */
function fromSlices({ emit, wDims, spatial }: ConvLayer, image: string, signal: string, columns: number): string {
  const [filters, channels] = wDims;
  const { strides, dilations, output, kernel } = spatial;
  const axes = int64s(
    emit,
    kernel.map((_, axis) => axis + 1),
  );
  const steps = int64s(emit, strides);
  const parts: string[] = [];
  const imageDims = dimsOf(emit, image);
  forEachIndex(kernel, (tap) => {
    const starts = tap.map((offset, axis) => offset * dilations[axis]);
    const ends = starts.map((start, axis) => start + (output[axis] - 1) * strides[axis] + 1);
    const whole = starts.every(
      (start, axis) => start === 0 && strides[axis] === 1 && ends[axis] === imageDims[axis + 1],
    );
    const view = whole ? image : emit.node('Slice', [image, int64s(emit, starts), int64s(emit, ends), axes, steps]);
    const product = emit.node('Gemm', [signal, reshapeTo(emit, view, [channels, columns])], { transB: 1 });
    parts.push(reshapeTo(emit, product, [filters, channels, 1]));
  });
  return reshapeTo(emit, parts.length === 1 ? parts[0] : emit.node('Concat', parts, { axis: 2 }), wDims);
}

/** Products of patches, gathered for all taps or for one row of the kernel at a time, with the signal. */
function fromPatches(layer: ConvLayer, image: string, signal: string): string {
  const { emit, wDims } = layer;
  const [filters, channels, ...kernel] = wDims;
  const [taps, columns] = [elementCount(kernel), dimsOf(emit, signal)[1]];
  const rows = channels * taps;
  if (rows >= MIN_ROWS_FOR_SPLIT * kernel[0]) {
    const spare = columns % ALIASING_COLUMNS === 0 ? 1 : 0;
    const width = columns + spare * layer.xDims[0];
    const padded = spare === 0 ? signal : emit.node('Pad', [signal, int64s(emit, [0, 0, 0, width - columns])]);
    const parts = Array.from({ length: kernel[0] }, (_, row) => {
      const patches = gatherPatches(layer, image, { row, spare });
      const matrix = reshapeTo(emit, patches, [rows / kernel[0], width]);
      const product = emit.node('Gemm', [padded, matrix], { transB: 1 });
      return reshapeTo(emit, product, [filters, channels, 1, ...kernel.slice(1)]);
    });
    return parts.length === 1 ? parts[0] : emit.node('Concat', parts, { axis: 2 });
  }
  const matrix = reshapeTo(emit, gatherPatches(layer, image), [rows, columns]);
  if (rows < filters) return reshapeTo(emit, emit.node('Gemm', [signal, matrix], { transB: 1 }), wDims);
  // A product rearranges its right operand first, so the larger one stands on the left. The extents are written out before
  // the axes change places because onnxruntime would swap the operands of a Gemm with a Transpose behind it.
  const product = reshapeTo(emit, emit.node('Gemm', [matrix, signal], { transB: 1 }), [channels, taps, filters]);
  return reshapeTo(emit, transposeTo(emit, product, [2, 0, 1]), wDims);
}

/** Rows of patches per row of the kernel from which on separate products, whose patches stay in the cache, are 10 % faster. */
const MIN_ROWS_FOR_SPLIT = 64;
/**
 * Rows whose length is a multiple of a memory page fall on the same lines of the cache, which costs products 10 to 20 %:
 * patches and signal get one more position, where the signal is zero.
 */
const ALIASING_COLUMNS = 1024;

/**
 * Every input that each tap (of one row of the kernel, if given) meets: `[C, taps, columns]`, by one Gather over the flattened
 * plane; with `spare` more positions of arbitrary inputs at the end.
 */
function gatherPatches(
  { emit, xDims, spatial }: ConvLayer,
  image: string,
  { row, spare = 0 }: { row?: number; spare?: number } = {},
): string {
  const [batch, channels] = xDims;
  const { strides, dilations, output, kernel } = spatial;
  const plane = dimsOf(emit, image).slice(1, -1);
  const indices: number[] = [];
  forEachIndex(kernel, (tap) => {
    if (row !== undefined && tap[0] !== row) return;
    forEachIndex(output, (at) => {
      indices.push(
        at.reduce((flat, p, axis) => flat * plane[axis] + p * strides[axis] + tap[axis] * dilations[axis], 0),
      );
    });
    for (let more = 0; more < spare; more++) indices.push(0);
  });
  const flat = reshapeTo(emit, image, [channels, elementCount(plane), batch]);
  const gathered = emit.node('Gather', [flat, int64s(emit, indices)], { axis: 1 });
  const positions = elementCount(output) + spare;
  return reshapeTo(emit, gathered, [channels, indices.length / positions, positions * batch]);
}

/**
 * dX: a convolution of dY with the flipped weights where input and output have about one size; otherwise, and for images of
 * few channels, ConvTranspose, which works on the (smaller) plane of dY.
 */
function inputGradient(layer: ConvLayer, w: string, dy: string): string {
  if (hasSmallPlanes(layer)) return smallPlanesInputGradient(layer, w, dy);
  const { emit, group, wDims, spatial } = layer;
  const { input, kernel, strides, dilations, padsBegin, output } = spatial;
  const reach = kernel.map((extent, axis) => dilatedExtent(extent, dilations[axis]));
  const before = reach.map((extent, axis) => extent - 1 - padsBegin[axis]);
  const after = input.map((extent, axis) => extent - output[axis] + reach[axis] - 1 - before[axis]);
  const sameSize = elementCount(input) <= MAX_GROWTH_FOR_CONV * elementCount(output);
  const fits = strides.every((stride) => stride === 1) && [...before, ...after].every((pad) => pad >= 0);
  const wide = group > 1 || wDims[1] >= MIN_CHANNELS_FOR_CONV;
  if (fits && sameSize && wide) {
    const flipped = flipWeights(emit, w, wDims, group);
    return emit.node('Conv', [dy, flipped], { kernel_shape: kernel, dilations, pads: [...before, ...after], group });
  }
  return emit.node('ConvTranspose', [dy, w], {
    kernel_shape: kernel,
    strides,
    dilations,
    group,
    ...transposedBorders(spatial),
  });
}

/** With fewer channels, the products of a convolution to them have too few rows: 2.1 times the time at 3 channels. */
const MIN_CHANNELS_FOR_CONV = 8;
/** Up to this ratio of input to output positions the flipped convolution is the faster form. */
const MAX_GROWTH_FOR_CONV = 1.5;

/** The `pads` and `output_padding` with which a ConvTranspose of the output gives exactly the input's extents. */
export function transposedBorders({ input, kernel, strides, dilations, padsBegin, output }: Spatial): {
  pads: number[];
  output_padding: number[];
} {
  const rest = input.map((extent, axis) => {
    const full = (output[axis] - 1) * strides[axis] + dilatedExtent(kernel[axis], dilations[axis]);
    return extent - (full - padsBegin[axis]);
  });
  return {
    pads: [...padsBegin, ...rest.map((value) => Math.max(-value, 0))],
    output_padding: rest.map((value) => Math.max(value, 0)),
  };
}

/** Weights `[O, I / group, k...]` as `[I, O / group, k...]` with every kernel axis reversed. */
function flipWeights(emit: Emitter, w: string, wDims: readonly number[], group: number): string {
  const [filters, perGroup, ...kernel] = wDims;
  let flipped = w;
  kernel.forEach((extent, axis) => {
    const reversed = Array.from({ length: extent }, (_, index) => extent - 1 - index);
    if (extent > 1) flipped = emit.node('Gather', [flipped, int64s(emit, reversed)], { axis: axis + 2 });
  });
  const perGroupFilters = filters / group;
  const grouped = reshapeTo(emit, flipped, [group, perGroupFilters, perGroup, ...kernel]);
  const swappable = perGroup > 1 && perGroupFilters > 1;
  const swapped = swappable ? transposeTo(emit, grouped, [0, 2, 1, ...kernel.map((_, axis) => axis + 3)]) : grouped;
  return reshapeTo(emit, swapped, [group * perGroup, perGroupFilters, ...kernel]);
}

/** The first `extents` of the spatial axes. */
export function firstOf(emit: Emitter, value: string, extents: readonly number[]): string {
  const dims = dimsOf(emit, value);
  return cut(emit, value, Array<number>(dims.length).fill(0), [...dims.slice(0, 2), ...extents]);
}

/** An image `[C, spatial..., N]` with its zero padding written out. */
function pad({ emit, spatial }: ConvLayer, image: string): string {
  const { padsBegin, padsEnd } = spatial;
  if ([...padsBegin, ...padsEnd].every((value) => value === 0)) return image;
  return emit.node('Pad', [image, int64s(emit, [0, ...padsBegin, 0, 0, ...padsEnd, 0])]);
}

/** `[g, a, b]` to `[g, b, a]`; only the shape changes when an extent is 1. */
function swapLast(emit: Emitter, value: string): string {
  const [group, a, b] = dimsOf(emit, value);
  return a === 1 || b === 1 ? reshapeTo(emit, value, [group, b, a]) : transposeTo(emit, value, [0, 2, 1]);
}
