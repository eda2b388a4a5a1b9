import { elementCount } from '../ir/tensor';
import { dimsOf, floats, int64s, repeatElements, zerosOf } from './gradients';
import type { Emitter } from './operator';
import type { SliceRange } from './slice-ranges';
import { forEachIndex } from './spatial';

/**
 * Adjoint of taking one range per axis: a tensor of extents `dims` that is zero but for the elements of `value` (extents: the
 * ranges' counts) at their places. Steps become repetition and a constant mask, which is several times faster than a scatter
 * or than padding between elements.
 */
export function placeRanges(
  emit: Emitter,
  value: string,
  dims: readonly number[],
  ranges: readonly SliceRange[],
): string {
  if (elementCount(dimsOf(emit, value)) === 0) return zerosOf(emit, dims);
  const forward = ranges.map(ascending);
  const reversed = ranges.flatMap(({ step, count }, axis) => (step < 0 && count > 1 ? [axis] : []));
  const spread = spreadElements(
    emit,
    reverseAxes(emit, value, reversed),
    forward.map(({ step }) => step),
  );
  const before = forward.map(({ start }) => start);
  const after = forward.map(({ start, step, count }, axis) => dims[axis] - start - step * count);
  if ([...before, ...after].every((count) => count === 0)) return spread;
  return emit.node('Pad', [spread, int64s(emit, [...before, ...after])]);
}

/** The same elements in rising order; a single one by step 1. */
function ascending({ start, step, count }: SliceRange): SliceRange {
  if (count <= 1) return { start, step: 1, count };
  return step > 0 ? { start, step, count } : { start: start + (count - 1) * step, step: -step, count };
}

function reverseAxes(emit: Emitter, value: string, axes: readonly number[]): string {
  if (axes.length === 0) return value;
  const all = (number: number) =>
    int64s(
      emit,
      axes.map(() => number),
    );
  return emit.node('Slice', [value, all(-1), all(BEFORE_FIRST), int64s(emit, axes), all(-1)]);
}

/** End of a slice by negative steps that goes on to the first element, whatever the extent. */
const BEFORE_FIRST = -(2 ** 31 - 1);

/** Each element followed by zerosOf along each axis, so that neighbours are `steps` apart. */
function spreadElements(emit: Emitter, value: string, steps: readonly number[]): string {
  const first = steps.findIndex((step) => step !== 1);
  if (first < 0) return value;
  const repeated = repeatElements(emit, value, steps);
  const extents = dimsOf(emit, repeated).slice(first);
  const mask: number[] = [];
  forEachIndex(extents, (index) => {
    mask.push(index.every((position, axis) => position % steps[first + axis] === 0) ? 1 : 0);
  });
  return emit.node('Mul', [repeated, floats(emit, mask, extents)]);
}
