import type { Rng } from './rng';

/** Integers of inputs that are not known to be indices stay below this. */
export const INTEGER_LIMIT = 256;

/**
 * One random element of each type that inputs may have: standard normal floats, uniform integers below `limit` (int8: all of them;
 * uint8: at most 255).
 */
export const RANDOM_DRAWS: Readonly<Record<string, (rng: Rng, limit: number) => number>> = {
  float64: (rng) => rng.normal(),
  float32: (rng) => rng.normal(),
  uint8: (rng, limit) => rng.integer(0, Math.min(limit, 256) - 1),
  int8: (rng) => rng.integer(-128, 127),
  int32: (rng, limit) => rng.integer(0, limit - 1),
  int64: (rng, limit) => rng.integer(0, limit - 1),
  bool: (rng) => rng.integer(0, 1),
};
