import { elementCount } from '../ir/tensor';
import type { Program } from './program';
import { extentsOf, type Factor, memoryFactors, naturalOrder, plainView, sizeOf, type View } from './view';

/** A value as the kernels of reductions see it. */
export interface Lengths {
  /** The value itself where its memory allows, else a copy. */
  readonly source: View;
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
  /** Extents of x: [outer, length, inner], [outer, length] with an inner of 1. */
  readonly from: readonly number[];
  /** Extents of y. */
  readonly to: readonly number[];
  /** How a result lies, with one element for each reduced axis, or without those axes where its rank is less. */
  readonly reduced: readonly (readonly Factor[])[];
}

/** Cuts `x` into [outer, length, inner] with `axes` along `length`; copies it first where others lie between them. */
export function cutLengths(program: Program, x: View, axes: readonly number[], rank: number): Lengths {
  const extents = extentsOf(x);
  const around = cutAround(program.isDirect(x) ? x : plainView(x.buffer, extents), axes);
  const kept = naturalOrder(extents.length).filter((axis) => !axes.includes(axis));
  const source = around ? program.dense(x) : program.arrange(x, [...kept, ...axes]);
  const { outer, length, inner } = around ?? cutAround(source, axes)!;
  const one = [{ extent: 1, stride: 0 }];
  const dims = source.dims.map((factors, axis) =>
    axes.includes(axis)
      ? one
      : factors.map(({ extent, stride }) => ({
          extent,
          stride: extent === 1 ? 0 : stride < inner * length ? stride : stride / length,
        })),
  );
  return {
    source,
    outer,
    length,
    inner,
    from: inner === 1 ? [outer, length] : [outer, length, inner],
    to: inner === 1 ? [outer] : [outer, inner],
    reduced: rank === dims.length ? dims : kept.map((axis) => dims[axis]),
  };
}

/** Extents [outer, length, inner] of a dense view whose `axes` are `length`; undefined where others lie between them. */
function cutAround(view: View, axes: readonly number[]): { outer: number; length: number; inner: number } | undefined {
  const length = elementCount(axes.map((axis) => extentsOf(view)[axis]));
  if (length === 1) return { outer: 1, length, inner: sizeOf(view) };
  // No two factors of a dense buffer have one stride, but those of one element may have any.
  const reduced = axes.flatMap((axis) => view.dims[axis]).filter(({ extent }) => extent !== 1);
  const factors = memoryFactors(view);
  const isReduced = factors.map(({ stride }) => reduced.some((factor) => factor.stride === stride));
  const [first, last] = [isReduced.indexOf(true), isReduced.lastIndexOf(true)];
  if (isReduced.slice(first, last + 1).includes(false)) return undefined;
  const inner = factors[last].stride;
  return { outer: sizeOf(view) / (length * inner), length, inner };
}
