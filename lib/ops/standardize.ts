import { emptyLike } from './dense';
import type { Dense } from './operator';
import { offsetsOf, rowMajorStrides } from './strides';

/** How elements are standardized. */
export interface Standardization {
  /** Extents of `x`, other than its own where groups cut an axis. */
  readonly dims?: readonly number[];
  /** Axes of those extents whose elements make one group. */
  readonly axes: readonly number[];
  /** Whether the mean is subtracted. */
  readonly centered: boolean;
  /** What elements are divided by, from the mean square of what is left. */
  readonly divisor: (meanSquare: number) => number;
}

/** `(x - mean) / divisor` of each group of elements, in float64. */
export function standardize(x: Dense, { dims = x.dims, axes, centered, divisor }: Standardization): Dense {
  const strides = rowMajorStrides(dims);
  const kept = dims.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const pick = (list: readonly number[], from: readonly number[]) => list.map((axis) => from[axis]);
  const inner = offsetsOf(pick(axes, dims), pick(axes, strides));
  const y = emptyLike(x, x.dims);
  for (const base of offsetsOf(pick(kept, dims), pick(kept, strides))) {
    let [sum, squares] = [0, 0];
    for (const offset of inner) sum += x.data[base + offset];
    const mean = centered ? sum / inner.length : 0;
    for (const offset of inner) squares += (x.data[base + offset] - mean) ** 2;
    const by = divisor(squares / inner.length);
    for (const offset of inner) y.data[base + offset] = (x.data[base + offset] - mean) / by;
  }
  return y;
}

/** `y * scale + bias` with one number for each channel of `[N, C, ...]`, in place. */
export function scaleChannels(y: Dense, scale: Dense, bias: Dense): Dense {
  const plane = y.dims.slice(2).reduce((product, extent) => product * extent, 1);
  for (let i = 0; i < y.data.length; i++) {
    const channel = Math.floor(i / plane) % y.dims[1];
    y.data[i] = y.data[i] * scale.data[channel] + bias.data[channel];
  }
  return y;
}

/** Divisor by the deviation with `epsilon` added to the variance. */
export function deviation(epsilon: number): (meanSquare: number) => number {
  return (meanSquare) => Math.sqrt(meanSquare + epsilon);
}
