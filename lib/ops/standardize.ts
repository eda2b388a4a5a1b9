import type { Diagnostic } from '../core/diagnostic';
import { attribute } from '../ir/attribute';
import type { Dim, Node, ValueType } from '../ir/graph';
import { normalizeAxis } from './axes';
import { broadcastShapes } from './broadcast';
import { emptyLike } from './dense';
import type { KernelCall } from './kernel-call';
import type { Dense, LowerContext } from './operator';
import { problem } from './schema';
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

/** What is wrong with factors of normalized elements: they broadcast to `x`, and none of them makes it larger. */
export function checkFactors(
  node: Node,
  x: readonly Dim[] | undefined,
  factors: readonly (ValueType | undefined)[],
): Diagnostic | undefined {
  const wrong = factors.find((factor) => {
    const all = factor?.shape && x && broadcastShapes([x, factor.shape]);
    const grows = (dim: Dim, axis: number) =>
      typeof dim === 'number' && typeof x![axis] === 'number' && dim !== x![axis];
    return factor?.shape && x && (all?.length !== x.length || all.some(grows));
  });
  return wrong && problem(node, 'shape-mismatch', `factors of shape [${wrong.shape}] do not broadcast to [${x}]`);
}

/** The kernel call of a normalization of the axes from `axis` on, whose factors are the same for all that is normalized. */
export function lowerNormalization(
  { node, inputs: [x, ...factors] }: LowerContext,
  centered: boolean,
): KernelCall | Diagnostic {
  const rank = x?.shape?.length;
  const axis = rank && normalizeAxis(attribute(node, 'axis', 'int', -1), rank);
  if (axis === undefined) return problem(node, 'symbolic-shape', 'expected a known rank');
  const outer = factors.flatMap(
    (factor) => factor?.shape?.slice(0, Math.max(0, factor.shape.length - (rank! - axis))) ?? [],
  );
  if (outer.some((dim) => dim !== 1))
    return problem(node, 'not-lowered', `expected the same factors for all along the axes in front of ${axis}`);
  const axes = x!.shape!.map((_, at) => at).slice(axis);
  const epsilon = attribute(node, 'epsilon', 'float', 1e-5);
  return { kernel: 'normalize', axes, centered, epsilon, factors: 'elements' };
}

/** Divisor by the deviation with `epsilon` added to the variance. */
export function deviation(epsilon: number): (meanSquare: number) => number {
  return (meanSquare) => Math.sqrt(meanSquare + epsilon);
}
