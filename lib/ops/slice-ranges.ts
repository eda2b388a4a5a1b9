import { normalizeAxis } from './axes';
import type { Dense } from './operator';

/** What a slice does to one axis of known extent: elements `start`, `start + step`, ... (`count` of them). */
export interface SliceRange {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

/** Ranges of all axes of a Slice from its inputs `starts, ends, axes, steps`. */
export function rangesOf(dims: readonly number[], parameters: readonly (Dense | undefined)[]): SliceRange[] {
  const [starts, ends, axes, steps] = parameters.map((parameter) => parameter?.data);
  const ranges: SliceRange[] = dims.map((count) => ({ start: 0, step: 1, count }));
  starts!.forEach((start, i) => {
    const axis = normalizeAxis(axes ? axes[i] : i, dims.length)!;
    ranges[axis] = resolveRange(start, ends![i], steps ? steps[i] : 1, dims[axis]);
  });
  return ranges;
}

/** Positions clamp to the extent: to [0, n] going up, to [-1, n - 1] going down. */
export function resolveRange(start: number, end: number, step: number, extent: number): SliceRange {
  const low = step > 0 ? 0 : -1;
  const high = step > 0 ? extent : extent - 1;
  const clamp = (position: number) => Math.max(low, Math.min(high, position < 0 ? position + extent : position));
  const first = clamp(start);
  return { start: first, step, count: Math.max(0, Math.ceil((clamp(end) - first) / step)) };
}
