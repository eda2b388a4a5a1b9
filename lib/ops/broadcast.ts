import type { Dim } from '../ir/graph';
import { offsetsOf, rowMajorStrides } from './strides';

/**
 * Shape of values broadcast together (numpy rules), or undefined when they do not fit. Two different symbols give an
 * extent of their own, `broadcast(a,b)`, since either may be 1.
 */
export function broadcastShapes(shapes: readonly (readonly Dim[])[]): Dim[] | undefined {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const result: Dim[] = new Array(rank).fill(1);
  for (const shape of shapes)
    for (let i = 0; i < shape.length; i++) {
      const axis = rank - shape.length + i;
      const dim = broadcastDims(result[axis], shape[i]);
      if (dim === undefined) return undefined;
      result[axis] = dim;
    }
  return result;
}

function broadcastDims(a: Dim, b: Dim): Dim | undefined {
  if (a === b || b === 1) return a;
  if (a === 1) return b;
  if (typeof a === 'number') return typeof b === 'number' ? undefined : a;
  if (typeof b === 'number') return b;
  return `broadcast(${[a, b].sort().join(',')})`;
}

/** Extents of values broadcast together. @throws RangeError when they do not fit, which only their values may tell */
export function broadcastExtents(...shapes: readonly (readonly number[])[]): number[] {
  const extents = broadcastShapes(shapes);
  if (!extents) throw new RangeError(`${shapes.map((shape) => `[${shape}]`).join(' and ')} do not broadcast`);
  return extents as number[];
}

/** For each element of `dims`, the flat index of the element of a `source`-shaped array that broadcasting reads. */
export function broadcastOffsets(source: readonly number[], dims: readonly number[]): Int32Array {
  const missing = dims.length - source.length;
  const own = rowMajorStrides(source);
  const strides = dims.map((_, axis) => (axis < missing || source[axis - missing] === 1 ? 0 : own[axis - missing]));
  return offsetsOf(dims, strides);
}
