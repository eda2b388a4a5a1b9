import { HoneError } from '../core/error';
import { ELEMENT_TYPES, type ElementType } from '../ir/element-type';
import { elementCount, type Tensor } from '../ir/tensor';

/** Element types of idx files by their code (third byte). */
const TYPES = new Map<number, ElementType>([
  [0x08, 'uint8'],
  [0x09, 'int8'],
  [0x0b, 'int16'],
  [0x0c, 'int32'],
  [0x0d, 'float32'],
  [0x0e, 'float64'],
]);

/** Whether bytes start like an idx file: two zeros, a known element type, at least one axis. */
export function isIdx(bytes: Uint8Array): boolean {
  return bytes.length >= 8 && bytes[0] === 0 && bytes[1] === 0 && TYPES.has(bytes[2]) && bytes[3] > 0;
}

/**
 * Tensor of an idx file (the format of MNIST, big-endian). Views `bytes` for one-byte elements.
 * @throws E_DATA_FORMAT
 */
export function parseIdx(bytes: Uint8Array, path: string): Tensor {
  const fail = (reason: string) => new HoneError('E_DATA_FORMAT', { path, reason });
  if (!isIdx(bytes)) throw fail('not an idx file');
  const type = TYPES.get(bytes[2])!;
  const rank = bytes[3];
  const start = 4 + 4 * rank;
  if (start > bytes.length) throw fail('the idx header is cut off');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const dims = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis, false));
  const size = ELEMENT_TYPES[type].bits / 8;
  const found = bytes.length - start;
  if (elementCount(dims) * size !== found)
    throw fail(`shape [${dims.join(', ')}] of ${type} does not fit ${found} bytes of data`);
  return { type, dims, bytes: swap(bytes.subarray(start), size) };
}

function swap(data: Uint8Array, size: number): Uint8Array {
  if (size === 1) return data;
  const copy = Buffer.from(data);
  const swapped = size === 2 ? copy.swap16() : size === 4 ? copy.swap32() : copy.swap64();
  return new Uint8Array(swapped.buffer, swapped.byteOffset, swapped.byteLength);
}
