import { HoneError } from '../core/error';
import { decodeBfloat16, decodeFloat16, encodeBfloat16, encodeFloat16 } from '../core/half';
import { byteLength, type ElementType } from '../ir/element-type';
import { elementCount, type Tensor, tensorFrom, tensorOf, toNumbers, VIEWS, viewAs } from '../ir/tensor';
import type { Dense, DenseData, Precision } from './operator';

/** Arrays that hold the elements of non-floating types in a Dense. */
const ARRAYS = {
  uint8: Uint8Array,
  bool: Uint8Array,
  uint4: Uint8Array,
  int8: Int8Array,
  int4: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: Float64Array,
  uint64: Float64Array,
} as const;

/** Whether values of `type` are rounded by the evaluation's precision. */
export function isFloat(type: ElementType): boolean {
  return type === 'float32' || type === 'float64' || type === 'float16' || type === 'bfloat16';
}

/** Zero-filled array for `count` elements of `type`; float64 values keep their precision even in a float32 evaluation. */
function denseArray(type: ElementType, count: number, precision: Precision): DenseData {
  if (type === 'string') throw new HoneError('E_INTERNAL', { message: 'string tensors have no dense form' });
  if (type in ARRAYS) return new ARRAYS[type as keyof typeof ARRAYS](count);
  return precision === 'float64' || type === 'float64' ? new Float64Array(count) : new Float32Array(count);
}

/** Zero-filled dense tensor. */
export function emptyDense(type: ElementType, dims: readonly number[], precision: Precision): Dense {
  return { type, dims, data: denseArray(type, elementCount(dims), precision) };
}

/** Dense tensor of the same type and array class as `like`, zero-filled, with other extents. */
export function emptyLike(like: Dense, dims: readonly number[]): Dense {
  const DataArray = like.data.constructor as new (count: number) => DenseData;
  return { type: like.type, dims, data: new DataArray(elementCount(dims)) };
}

/**
 * Elements of `tensor` for reference evaluation; half-precision and 4-bit elements are decoded, int64 saturates to safe
 * integers.
 * @throws E_INTERNAL for string tensors
 */
export function toDense(tensor: Tensor, precision: Precision): Dense {
  const { type, dims, bytes } = tensor;
  const dense = emptyDense(type, dims, precision);
  const { data } = dense;
  if (type === 'float16' || type === 'bfloat16') {
    const bits = viewAs({ type: 'uint16', dims, bytes }, 'uint16');
    const decode = type === 'float16' ? decodeFloat16 : decodeBfloat16;
    for (let i = 0; i < data.length; i++) data[i] = decode(bits[i]);
  } else if (type === 'int4' || type === 'uint4') {
    for (let i = 0; i < data.length; i++) {
      const nibble = (bytes[i >> 1] >> (i % 2 ? 4 : 0)) & 15;
      data[i] = type === 'int4' && nibble > 7 ? nibble - 16 : nibble;
    }
  } else if (type === 'int64' || type === 'uint64') data.set(toNumbers(tensor));
  else data.set(viewAs(tensor, type as 'float32'));
  return dense;
}

/** Tensor of the same type and extents; floating elements round to the type, integers must fit it. */
export function fromDense({ type, dims, data }: Dense): Tensor {
  if (type === 'float16' || type === 'bfloat16') {
    const encode = type === 'float16' ? encodeFloat16 : encodeBfloat16;
    const bits = new Uint16Array(data.length);
    for (let i = 0; i < bits.length; i++) bits[i] = encode(data[i]);
    return { type, dims, bytes: tensorOf('uint16', dims, bits).bytes };
  }
  if (type === 'int4' || type === 'uint4') {
    const bytes = new Uint8Array(byteLength(type, data.length));
    for (let i = 0; i < data.length; i++) bytes[i >> 1] |= (data[i] & 15) << (i % 2 ? 4 : 0);
    return { type, dims, bytes };
  }
  if (type === 'string') throw new HoneError('E_INTERNAL', { message: 'string tensors have no dense form' });
  if (type === 'int64' || type === 'uint64') return tensorFrom(type, dims, Array.from(data));
  const copy = new (VIEWS[type] as typeof Float32Array)(data.length);
  copy.set(data);
  return tensorOf(type as 'float32', dims, copy);
}
