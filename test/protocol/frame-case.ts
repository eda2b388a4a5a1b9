import { HoneError } from '../../lib/core/error';
import { Rng, streamSeed } from '../../lib/core/rng';
import { type WireFrame, WireFrameReader, writeWireFrame } from '../../lib/protocol/frame';
import { mutate } from '../onnx/mutate';
import { joined } from './model';

const LIMITS = { jsonBytes: 400, payloadBytes: 400 };

/** JSON of frames, up to what is nested as deep as the limit lets it be. */
const JSONS: readonly unknown[] = [undefined, {}, { a: [1, 2, { b: 'c' }] }, 'text', 7, false, JSON.parse('[]')];

/** A stream of frames of which some bytes are others: case number `index` of a seed. */
export function makeStream(seed: number, index: number): Uint8Array {
  const rng = new Rng(streamSeed(seed, index));
  const frames = Array.from({ length: rng.integer(1, 4) }, () => {
    const payload = Array.from({ length: rng.integer(0, 2) }, () => new Uint8Array(rng.integer(0, 200)).fill(index));
    return joined(
      writeWireFrame(rng.integer(1, 9), rng.nextUint32(), JSONS[rng.integer(0, JSONS.length - 1)], payload),
    );
  });
  const stream = joined(frames);
  return rng.uniform() < 0.1 ? stream : mutate(stream, frames[0], rng);
}

/** What a reader makes of a stream in chunks of at most `size` bytes: the frames, and why it ended before the end. */
function readStream(stream: Uint8Array, size: number): { frames: WireFrame[]; reason: string } {
  const frames: WireFrame[] = [];
  const reader = new WireFrameReader(LIMITS, (frame) => frames.push(frame));
  try {
    for (let position = 0; position < stream.length; position += size)
      reader.push(stream.subarray(position, position + size));
  } catch (error) {
    if (error instanceof HoneError && error.code === 'E_FRAME_FORMAT') return { frames, reason: error.message };
    throw error;
  }
  return { frames, reason: '' };
}

/**
 * Whether a stream is read to its end or refused; it is the same in one chunk, in bytes and in chunks between.
 * @throws whatever is no E_FRAME_FORMAT, and an Error where chunks make a difference
 */
export function runStream(stream: Uint8Array): string {
  const whole = readStream(stream, Math.max(stream.length, 1));
  for (const size of [1, 7])
    if (JSON.stringify(readStream(stream, size)) !== JSON.stringify(whole))
      throw new Error(`the stream is another one in chunks of ${size} bytes`);
  return whole.reason === '' ? `${whole.frames.length > 0 ? 'frames' : 'no frame'} taken` : 'E_FRAME_FORMAT';
}
