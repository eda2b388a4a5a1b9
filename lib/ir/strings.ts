import { HoneError } from '../core/error';
import type { Tensor } from './tensor';

/**
 * Bytes of a string tensor: per element a little-endian uint32 with its length in bytes, then its UTF-8 text.
 * (ONNX keeps strings as a list; a Tensor keeps everything in one block.)
 */
export function packStrings(elements: readonly (string | Uint8Array)[]): Uint8Array {
  const encoder = new TextEncoder();
  const encoded = elements.map((element) => (typeof element === 'string' ? encoder.encode(element) : element));
  const bytes = new Uint8Array(encoded.reduce((sum, part) => sum + 4 + part.length, 0));
  const view = new DataView(bytes.buffer);
  let offset = 0;
  for (const part of encoded) {
    view.setUint32(offset, part.length, true);
    bytes.set(part, offset + 4);
    offset += 4 + part.length;
  }
  return bytes;
}

/**
 * Elements of a string tensor as UTF-8 bytes (views).
 * @throws E_INTERNAL when the tensor is not a well-formed string tensor
 */
export function unpackStringBytes(tensor: Tensor): Uint8Array[] {
  const { bytes } = tensor;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const elements: Uint8Array[] = [];
  let offset = 0;
  while (tensor.type === 'string' && offset + 4 <= bytes.length) {
    const end = offset + 4 + view.getUint32(offset, true);
    if (end > bytes.length) break;
    elements.push(bytes.subarray(offset + 4, end));
    offset = end;
  }
  if (offset !== bytes.length) throw new HoneError('E_INTERNAL', { message: 'not a well-formed string tensor' });
  return elements;
}

/** Elements of a string tensor. */
export function unpackStrings(tensor: Tensor): string[] {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  return unpackStringBytes(tensor).map((element) => decoder.decode(element));
}
