import { HoneError } from '../core/error';
import { byteLength, type ElementType } from './element-type';

/**
 * Immutable dense tensor, row-major, little-endian bytes at any alignment.
 * `bytes` may view a larger file; nobody writes to it. External data loads on the first access of `bytes`.
 */
export interface Tensor {
  readonly type: ElementType;
  /** Extents, outermost first; `[]` is a scalar. */
  readonly dims: readonly number[];
  readonly bytes: Uint8Array;
}

/** Number of elements of a shape; 1 for a scalar. */
export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** Typed-array classes by element type (those that JavaScript has a view for). */
export const VIEWS = {
  float32: Float32Array,
  float64: Float64Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
} as const;

type Views = typeof VIEWS;
/** Element types with a typed-array view. */
export type ViewType = keyof Views;
/** Typed array that views elements of type `T`. */
export type ViewOf<T extends ViewType> = InstanceType<Views[T]>;

/**
 * Typed view of a tensor's elements: shared with `bytes` where alignment allows, else a copy. Do not write to it.
 * @throws E_INTERNAL when the tensor has another type
 */
export function viewAs<T extends ViewType>(tensor: Tensor, type: T): ViewOf<T> {
  if (tensor.type !== type)
    throw new HoneError('E_INTERNAL', { message: `expected a ${type} tensor, found ${tensor.type}` });
  const View = VIEWS[type];
  const { bytes } = tensor;
  // Not `slice`: that of a Buffer does not copy.
  const aligned = bytes.byteOffset % View.BYTES_PER_ELEMENT === 0 ? bytes : new Uint8Array(bytes);
  return new View(
    aligned.buffer as ArrayBuffer,
    aligned.byteOffset,
    aligned.byteLength / View.BYTES_PER_ELEMENT,
  ) as ViewOf<T>;
}

/**
 * The bytes of a tensor for `getFloat32(4 * index, true)`: reads elements in place, whatever their alignment. Weights lie in a
 * file as they come, and `viewAs` copies all of those that are off theirs.
 * @throws E_INTERNAL when the tensor is not float32
 */
export function unalignedView({ type, bytes }: Tensor): DataView {
  if (type !== 'float32') throw new HoneError('E_INTERNAL', { message: `expected a float32 tensor, found ${type}` });
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Elements of any numeric tensor as JavaScript numbers (int64 beyond 2^53 saturates to the nearest safe integer). */
export function toNumbers(tensor: Tensor): number[] {
  if (tensor.type === 'int64' || tensor.type === 'uint64')
    return Array.from(viewAs(tensor, tensor.type) as BigInt64Array, safeNumber);
  if (!(tensor.type in VIEWS))
    throw new HoneError('E_INTERNAL', { message: `no numeric view of ${tensor.type} elements` });
  return Array.from(viewAs(tensor, tensor.type as 'float32'));
}

/** `value` as a number, saturated to the safe integer range. */
function safeNumber(value: bigint): number {
  const limit = BigInt(Number.MAX_SAFE_INTEGER);
  return Number(value > limit ? limit : value < -limit ? -limit : value);
}

/**
 * Tensor over a typed array (shared, not copied).
 * @throws E_INTERNAL when the number of elements does not fit `dims`
 */
export function tensorOf<T extends ViewType>(type: T, dims: readonly number[], data: ViewOf<T>): Tensor {
  const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  if (bytes.byteLength !== byteLength(type, elementCount(dims)))
    throw new HoneError('E_INTERNAL', { message: `${data.length} elements do not fill shape [${dims}]` });
  return { type, dims, bytes };
}

/** Tensor of `type` from plain numbers; int64 numbers must be safe integers. */
export function tensorFrom(type: ViewType, dims: readonly number[], values: readonly number[]): Tensor {
  const data =
    type === 'int64' || type === 'uint64'
      ? (VIEWS[type] as typeof BigInt64Array).from(values.map((value) => BigInt(value)))
      : (VIEWS[type] as typeof Float32Array).from(values);
  return tensorOf(type, dims, data as ViewOf<typeof type>);
}
