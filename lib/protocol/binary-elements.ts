import { DATATYPES, type Datatype } from '../core/datatype';
import type { TensorData } from './tensor';

/**
 * Elements over little-endian bytes: a view where their place in memory allows, else a copy. undefined where the bytes are no
 * whole number of elements.
 */
export function elementsFromBytes(datatype: Datatype, bytes: Uint8Array): TensorData | undefined {
  const Type = DATATYPES[datatype];
  const size = Type.BYTES_PER_ELEMENT;
  if (bytes.length % size !== 0) return undefined;
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  return new Type(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.length / size);
}

/** Index of the first byte that is neither 0 nor 1, which BOOL does not have; -1 without one. */
export function findNoBool(bytes: Uint8Array): number {
  return bytes.findIndex((byte) => byte > 1);
}

/** The bytes of typed elements; a view. */
export function bytesOf(data: TensorData): Uint8Array {
  return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
}

/** Elements of datatype BYTES: the length in UTF-8 of each as four little-endian bytes, then the text. */
export function bytesOfStrings(texts: readonly string[]): Uint8Array {
  const encoder = new TextEncoder();
  const encoded = texts.map((text) => encoder.encode(text));
  const bytes = new Uint8Array(encoded.reduce((sum, { length }) => sum + 4 + length, 0));
  const view = new DataView(bytes.buffer);
  let position = 0;
  for (const text of encoded) {
    view.setUint32(position, text.length, true);
    bytes.set(text, position + 4);
    position += 4 + text.length;
  }
  return bytes;
}

/** Texts of datatype BYTES out of their binary form; undefined where lengths or UTF-8 are wrong. */
export function stringsFromBytes(bytes: Uint8Array): readonly string[] | undefined {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const texts: string[] = [];
  for (let position = 0; position < bytes.length; ) {
    if (position + 4 > bytes.length) return undefined;
    const end = position + 4 + view.getUint32(position, true);
    if (end > bytes.length) return undefined;
    try {
      texts.push(decoder.decode(bytes.subarray(position + 4, end)));
    } catch {
      return undefined;
    }
    position = end;
  }
  return texts;
}
