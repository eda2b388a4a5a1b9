/** The quantile `fraction` (0..1) of the values, interpolated linearly; NaN when there are none. */
export function quantile(values: ArrayLike<number>, fraction: number): number {
  const sorted = Float64Array.from(values).sort();
  if (sorted.length === 0) return Number.NaN;
  const position = fraction * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (position - below);
}

/** Interval that holds the true proportion with 95 % confidence (Wilson, 1927): [low, high] within 0..1. */
export function wilsonInterval(successes: number, trials: number): [number, number] {
  const z = 1.959964;
  const p = successes / trials;
  const scale = 1 + (z * z) / trials;
  const center = (p + (z * z) / (2 * trials)) / scale;
  const half = (z * Math.sqrt((p * (1 - p)) / trials + (z * z) / (4 * trials * trials))) / scale;
  return [Math.max(0, center - half), Math.min(1, center + half)];
}

/** Mean difference of paired 0/1 outcomes (b - a) and its standard error. */
export function pairedDifference(a: ArrayLike<number>, b: ArrayLike<number>): { mean: number; standardError: number } {
  const count = a.length;
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < count; i++) {
    const difference = b[i] - a[i];
    sum += difference;
    squares += difference * difference;
  }
  const mean = sum / count;
  return { mean, standardError: Math.sqrt(Math.max(0, squares / count - mean * mean) / count) };
}

/** Sums of squares behind a signal to noise ratio. */
export interface NoiseSums {
  readonly signal: number;
  readonly noise: number;
}

/** The sums with one more piece of a signal and its distorted form. */
export function addNoise(sums: NoiseSums, signal: ArrayLike<number>, distorted: ArrayLike<number>): NoiseSums {
  let { signal: power, noise } = sums;
  for (let i = 0; i < signal.length; i++) {
    power += signal[i] ** 2;
    noise += (signal[i] - distorted[i]) ** 2;
  }
  return { signal: power, noise };
}

/** Signal to quantization noise ratio in decibels; Infinity when there is no noise. */
export function sqnrDb({ signal, noise }: NoiseSums): number {
  return noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);
}

/** Index of the largest element; the first of equals. */
export function largest(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}
