import type { Rng } from '../../lib/core/rng';

/** Bytes that sit at the edges of varints, lengths and tags. */
const EDGES = [0x00, 0x01, 0x7f, 0x80, 0xff, 0x08, 0x0a, 0x12, 0x3a];

/** A changed copy of `bytes`: one to eight random edits, sometimes with material of `other`. */
export function mutate(bytes: Uint8Array, other: Uint8Array, rng: Rng): Uint8Array {
  let result = Uint8Array.from(bytes);
  for (let edits = rng.integer(1, 8); edits > 0; edits--) result = edit(result, other, rng);
  return result;
}

function edit(bytes: Uint8Array, other: Uint8Array, rng: Rng): Uint8Array<ArrayBuffer> {
  const at = rng.integer(0, Math.max(0, bytes.length - 1));
  const length = Math.min(rng.integer(1, 1 << rng.integer(0, 8)), bytes.length - at);
  const result = Uint8Array.from(bytes);
  switch (rng.integer(0, 6)) {
    case 0: // flip a bit
      result[at] ^= 1 << rng.integer(0, 7);
      return result;
    case 1: // an edge value
      result[at] = EDGES[rng.integer(0, EDGES.length - 1)];
      return result;
    case 2: // random bytes
      for (let index = at; index < at + length; index++) result[index] = rng.integer(0, 255);
      return result;
    case 3: // cut out
      return join(bytes.subarray(0, at), bytes.subarray(at + length));
    case 4: // double a piece
      return join(bytes.subarray(0, at + length), bytes.subarray(at));
    case 5: // cut off
      return rng.uniform() < 0.2 ? Uint8Array.from(bytes.subarray(0, at)) : result;
    default: {
      // a piece of another input
      const from = rng.integer(0, Math.max(0, other.length - 1));
      const piece = other.subarray(from, from + rng.integer(1, 64));
      return join(bytes.subarray(0, at), piece, bytes.subarray(at));
    }
  }
}

function join(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    result.set(part, offset);
    offset += part.length;
  }
  return result;
}
