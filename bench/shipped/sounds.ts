import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Samples a second that the networks hear. */
export const RATE = 16000;

/**
 * Spoken digits of a folder of 8 kHz 16-bit recordings, one after another with a fifth of a second of silence between, at 16 kHz, -1 to 1:
 * those whose place in the order of names is even, or odd. Recordings of one set are not in the other.
 */
export function speech(folder: string, remainder: 0 | 1, seconds: number): Float32Array {
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.wav'))
    .sort();
  const sound = new Float32Array(Math.round(seconds * RATE));
  // A prime stride mixes speakers and digits.
  const order = files.map((_, index) => files[(index * 37) % files.length]).filter((_, i) => i % 2 === remainder);
  let at = 0;
  for (let i = 0; at < sound.length; i++) {
    const twice = doubleRate(readWave(join(folder, order[i % order.length])));
    sound.set(twice.subarray(0, sound.length - at), at);
    at += twice.length + RATE / 5;
  }
  return sound;
}

/** Elements of a one-channel PCM file of 16 bits, -1 to 1. */
function readWave(path: string): Float32Array {
  const bytes = readFileSync(path);
  const start = bytes.indexOf('data', 12, 'latin1') + 8;
  const count = Math.min(bytes.readUInt32LE(start - 4), bytes.length - start) >> 1;
  return Float32Array.from({ length: count }, (_, i) => bytes.readInt16LE(start + 2 * i) / 32768);
}

/** Twice the samples a second, with linear interpolation. */
function doubleRate(sound: Float32Array): Float32Array {
  return Float32Array.from({ length: 2 * sound.length }, (_, i) => {
    const before = sound[i >> 1];
    return i % 2 === 0 ? before : (before + (sound[(i >> 1) + 1] ?? before)) / 2;
  });
}
