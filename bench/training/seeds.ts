/** Seeds of every trained figure. */
export const SEEDS = [1, 2, 3] as const;

/** Student's t for a 95 % interval of the mean, by degrees of freedom from 1. */
const T95 = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

/** Mean over seeds with half the width of its 95 % interval and its standard error. */
export interface SeedMean {
  readonly mean: number;
  readonly halfWidth95: number;
  readonly standardError: number;
  readonly values: readonly number[];
}

/** Mean of 2 to 10 values, one per seed. */
export function meanOverSeeds(values: readonly number[]): SeedMean {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  const standardError = Math.sqrt(variance / count);
  return { mean, halfWidth95: T95[count - 2] * standardError, standardError, values };
}
