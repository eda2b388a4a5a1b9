import { attribute } from '../ir/attribute';
import { elementCount, tensorFrom, toNumbers } from '../ir/tensor';
import { normalizeAxis } from './axes';
import { castTo, dimsOf, floats, int64s, reshapeTo, sumOver, transposeTo, zerosOf } from './gradients';
import type { Emitter, GradientContext } from './operator';
import { placeRanges } from './range-gradient';
import type { SliceRange } from './slice-ranges';
import { forEachIndex } from './spatial';
import { rowMajorStrides } from './strides';

/**
 * Gradient of Gather. Evenly spaced constant indices are a slice. Otherwise slices of the gradient are added up at their
 * indices, with the gathered axis in front.
 */
export function gatherGradient({ node, emit, outputGradients }: GradientContext): readonly string[] {
  const dy = outputGradients[0]!;
  const [data, indices] = node.inputs;
  const dims = dimsOf(emit, data);
  const axis = normalizeAxis(attribute(node, 'axis', 'int', 0), dims.length)!;
  const constant = emit.constantOf(indices);
  const range = constant && evenRange(toNumbers(constant), dims[axis]);
  if (range) {
    const ranges = dims.map((count, at) => (at === axis ? range : { start: 0, step: 1, count }));
    const counts = ranges.map(({ count }) => count);
    return [placeRanges(emit, reshapeTo(emit, dy, counts), dims, ranges)];
  }
  const count = elementCount(dimsOf(emit, indices));
  const [outer, inner] = [dims.slice(0, axis), dims.slice(axis + 1)].map(elementCount);
  const swap = (value: string, first: number, second: number) =>
    transposeTo(
      emit,
      reshapeTo(emit, value, [first, second, inner]),
      first === 1 || second === 1 ? [0, 1, 2] : [1, 0, 2],
    );
  const rows = reshapeTo(emit, swap(dy, outer, count), [count, outer * inner]);
  const sums = sumRows(emit, rows, reshapeTo(emit, castTo(emit, indices, 'int64'), [count]), dims[axis]);
  return [reshapeTo(emit, swap(sums, dims[axis], outer), dims)];
}

/** The indices as a range, when they are evenly spaced and none occurs twice. */
function evenRange(indices: readonly number[], extent: number): SliceRange | undefined {
  const positions = indices.map((index) => normalizeAxis(index, extent) ?? Number.NaN);
  const [start, second = start + 1] = positions;
  const step = second - start;
  const isEven = step !== 0 && positions.every((position, i) => position === start + i * step);
  return isEven ? { start, step, count: positions.length } : undefined;
}

/** Gradient of GatherND: slices of the gradient are added up at the flat positions that their index tuples stand for. */
export function gatherTuplesGradient({ node, emit, outputGradients }: GradientContext): readonly string[] {
  const [data, indices] = node.inputs;
  const dims = dimsOf(emit, data);
  const batch = attribute(node, 'batch_dims', 'int', 0);
  const indexDims = dimsOf(emit, indices);
  const indexed = dims.slice(0, batch + indexDims[indexDims.length - 1]);
  const [count, rows] = [elementCount(indexDims.slice(0, -1)), elementCount(indexed)];
  const slices = reshapeTo(emit, outputGradients[0]!, [count, elementCount(dims) / rows]);
  const flat = reshapeTo(emit, flatPositions(emit, indices, batch, indexed), [count]);
  return [reshapeTo(emit, sumRows(emit, slices, flat, rows), dims)];
}

/**
 * Flat position of each index tuple in an array of extents `dims`, whose first `batch` axes go in step with those of
 * `indices`; negative indices count from the end.
 */
function flatPositions(emit: Emitter, indices: string, batch: number, dims: readonly number[]): string {
  const numbers = (values: readonly number[]) => int64s(emit, values);
  const fromEnd = emit.node('Add', [indices, numbers(dims.slice(batch))]);
  const positive = emit.node('Where', [emit.node('Less', [indices, numbers([0])]), fromEnd, indices]);
  const strides = rowMajorStrides(dims);
  const inSlice = sumOver(emit, emit.node('Mul', [positive, numbers(strides.slice(batch))]), [
    dimsOf(emit, indices).length - 1,
  ]);
  if (batch === 0) return inSlice;
  const starts: number[] = [];
  const outer = dimsOf(emit, inSlice);
  forEachIndex(outer, (index) => {
    starts.push(strides.slice(0, batch).reduce((sum, stride, axis) => sum + index[axis] * stride, 0));
  });
  return emit.node('Add', [inSlice, emit.constant(tensorFrom('int64', outer, starts))]);
}

/** Up to this many different rows a product with one-hot vectors is faster than a scatter. */
const MAX_ROWS_FOR_PRODUCT = 128;

/**
 * Matrix of `count` rows: the sum of the rows of `value` per index. Not by ScatterND, fast as it is: onnxruntime loses sums
 * when several of its threads add to one slice.
 */
function sumRows(emit: Emitter, value: string, indices: string, count: number): string {
  const [, width] = dimsOf(emit, value);
  if (count <= MAX_ROWS_FOR_PRODUCT) {
    const hot = emit.node('OneHot', [indices, int64s(emit, [count]), floats(emit, [0, 1], [2])], { axis: 0 });
    return emit.node('MatMul', [hot, value]);
  }
  const column = reshapeTo(emit, indices, [...dimsOf(emit, indices), 1]);
  const places = emit.node('Expand', [column, int64s(emit, [1, width])]);
  return emit.node('ScatterElements', [zerosOf(emit, [count, width]), places, value], { axis: 0, reduction: 'add' });
}
