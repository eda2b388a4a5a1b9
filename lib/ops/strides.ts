import { elementCount } from '../ir/tensor';
import { emptyLike } from './dense';
import type { Dense } from './operator';

/** Elements between neighbours along each axis of a row-major array. */
export function rowMajorStrides(dims: readonly number[]): number[] {
  const strides = new Array<number>(dims.length);
  let step = 1;
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= dims[axis];
  }
  return strides;
}

/** For each index of `dims` in row-major order: `start + sum(index[axis] * strides[axis])`. */
export function offsetsOf(dims: readonly number[], strides: readonly number[], start = 0): Int32Array {
  const offsets = new Int32Array(elementCount(dims));
  const index = new Array<number>(dims.length).fill(0);
  let offset = start;
  for (let i = 0; i < offsets.length; i++) {
    offsets[i] = offset;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      offset += strides[axis];
      if (++index[axis] < dims[axis]) break;
      offset -= strides[axis] * dims[axis];
      index[axis] = 0;
    }
  }
  return offsets;
}

/** Dense tensor of `dims` whose elements are read from `source` at `start + sum(index * strides)`. */
export function readStrided(source: Dense, dims: readonly number[], strides: readonly number[], start = 0): Dense {
  const result = emptyLike(source, dims);
  const offsets = offsetsOf(dims, strides, start);
  for (let i = 0; i < offsets.length; i++) result.data[i] = source.data[offsets[i]];
  return result;
}
