import { HoneError } from '../core/error';
import { byteLength, ELEMENT_TYPES, type ElementType } from '../ir/element-type';
import { elementCount, type Tensor } from '../ir/tensor';

/** NumPy's little-endian codes of the element types that it has. */
const CODES = {
  float16: '<f2',
  float32: '<f4',
  float64: '<f8',
  int8: '|i1',
  int16: '<i2',
  int32: '<i4',
  int64: '<i8',
  uint8: '|u1',
  uint16: '<u2',
  uint32: '<u4',
  uint64: '<u8',
  bool: '|b1',
} as const satisfies Partial<Record<ElementType, string>>;

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** Whether bytes start like a .npy file. */
export function isNpy(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, index) => bytes[index] === byte);
}

/** What the header of a .npy file says. */
export interface NpyHeader {
  readonly type: ElementType;
  readonly dims: readonly number[];
  /** Column-major elements. */
  readonly fortran: boolean;
  /** Big-endian elements. */
  readonly swapped: boolean;
  /** Offset of the first element. */
  readonly start: number;
}

/** The header of a .npy file never reaches further in versions that NumPy writes for plain arrays. */
export const NPY_HEADER_BYTES = 10 + 65535;

/**
 * Header of a .npy file (versions 1 to 3) of `size` bytes, from its first bytes.
 * @throws E_DATA_FORMAT: not such a file, cut off, elements that are no plain numbers, or another size
 */
export function parseNpyHeader(bytes: Uint8Array, size: number, path: string): NpyHeader {
  const fail = (reason: string) => new HoneError('E_DATA_FORMAT', { path, reason });
  if (!isNpy(bytes) || bytes.length < 12) throw fail('not a .npy array');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6];
  if (version < 1 || version > 3) throw fail(`.npy version ${version} is not known (1 to 3 are)`);
  const fixed = version === 1 ? 10 : 12;
  const headerLength = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const start = fixed + headerLength;
  if (start > bytes.length) throw fail('the header is cut off');
  const header = new TextDecoder().decode(bytes.subarray(fixed, start));
  const code = /'descr'\s*:\s*'([^']*)'/.exec(header)?.[1];
  const fortran = /'fortran_order'\s*:\s*(True|False)/.exec(header)?.[1];
  const shape = /'shape'\s*:\s*\(([\d\s,]*)\)/.exec(header)?.[1];
  if (code === undefined || fortran === undefined || shape === undefined)
    throw fail(`the header does not describe an array of plain numbers: ${header.slice(0, 80).trim()}`);
  const swapped = code.startsWith('>');
  const type = typeOfCode(code.replace('>', '<'));
  if (type === undefined) throw fail(`elements '${code}' are no plain numbers`);
  const dims = shape
    .split(',')
    .map((dim) => dim.trim())
    .filter((dim) => dim !== '')
    .map(Number);
  const count = elementCount(dims);
  const found = size - start;
  if (!dims.every(Number.isSafeInteger) || !Number.isSafeInteger(count * 8) || byteLength(type, count) !== found)
    throw fail(`shape [${dims.join(', ')}] of ${type} does not fit ${found} bytes of data`);
  return { type, dims, fortran: fortran === 'True', swapped: swapped && ELEMENT_TYPES[type].bits > 8, start };
}

/**
 * Tensor of a .npy file (header versions 1 to 3). Views `bytes`, except for Fortran order and big-endian elements, which are
 * turned around.
 * @throws E_DATA_FORMAT as `parseNpyHeader`
 */
export function parseNpy(bytes: Uint8Array, path: string): Tensor {
  const { type, dims, fortran, swapped, start } = parseNpyHeader(bytes, bytes.length, path);
  const data = swapped ? Uint8Array.from(bytes.subarray(start)) : bytes.subarray(start);
  if (swapped) swapBytes(data, type);
  return { type, dims, bytes: fortran ? toRowMajor(data, dims, ELEMENT_TYPES[type].bits / 8) : data };
}

function typeOfCode(code: string): ElementType | undefined {
  // One-byte elements have no byte order; files mark them in several ways.
  for (const [type, known] of Object.entries(CODES))
    if (code === known || (known[0] === '|' && /^[<>=]/.test(code) && code.slice(1) === known.slice(1)))
      return type as ElementType;
  return undefined;
}

/** Turns the byte order of every element, in place. */
export function swapBytes(data: Uint8Array, type: ElementType): void {
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const { bits } = ELEMENT_TYPES[type];
  if (bits === 16) buffer.swap16();
  else if (bits === 32) buffer.swap32();
  else if (bits === 64) buffer.swap64();
}

/** Elements of a column-major array in row-major order. */
function toRowMajor(data: Uint8Array, dims: readonly number[], size: number): Uint8Array {
  const strides: number[] = [];
  dims.reduce((stride, dim) => {
    strides.push(stride);
    return stride * dim;
  }, size);
  const result = new Uint8Array(data.length);
  const index = dims.map(() => 0);
  let source = 0;
  for (let target = 0; target < result.length; target += size) {
    for (let k = 0; k < size; k++) result[target + k] = data[source + k];
    // Odometer: count up the last axis, carry to the left.
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      source += strides[axis];
      if (++index[axis] < dims[axis]) break;
      source -= strides[axis] * dims[axis];
      index[axis] = 0;
    }
  }
  return result;
}

/**
 * Bytes of a .npy file (version 1, row-major).
 * @throws E_INTERNAL for element types that NumPy lacks (bfloat16, int4, string)
 */
export function formatNpy(tensor: Tensor): Uint8Array {
  const code = (CODES as Partial<Record<ElementType, string>>)[tensor.type];
  if (code === undefined) throw new HoneError('E_INTERNAL', { message: `.npy cannot hold ${tensor.type} elements` });
  const shape = tensor.dims.length === 1 ? `${tensor.dims[0]},` : tensor.dims.join(', ');
  const text = `{'descr': '${code}', 'fortran_order': False, 'shape': (${shape}), }`;
  // Data starts at a multiple of 64; the header ends with a newline.
  const length = Math.ceil((10 + text.length + 1) / 64) * 64;
  const bytes = new Uint8Array(length + tensor.bytes.length).fill(0x20, 0, length);
  bytes.set([...MAGIC, 1, 0, (length - 10) & 255, (length - 10) >> 8]);
  bytes.set(new TextEncoder().encode(text), 10);
  bytes[length - 1] = 0x0a;
  bytes.set(tensor.bytes, length);
  return bytes;
}
