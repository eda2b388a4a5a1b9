import { Rng, streamSeed } from '../../core/rng';

/** Uniform numbers: any weight may go, the baseline for every other criterion. `stream` tells tensors apart. */
export function randomScores(count: number, seed: number, stream: number): Float64Array<ArrayBuffer> {
  const rng = new Rng(streamSeed(seed, stream));
  return Float64Array.from({ length: count }, () => rng.uniform());
}
