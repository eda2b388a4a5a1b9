/** What makes probabilities of the numbers that a model gives: nothing where it did so itself. */
export type Activation = 'none' | 'softmax' | 'sigmoid';

/**
 * Probabilities of these numbers, element by element or, with softmax, as shares of 1: infinite ones share it all, and a NaN makes
 * all NaN.
 */
export function activate(activation: Activation, values: ArrayLike<number>): Float64Array {
  const found = new Float64Array(values);
  if (activation === 'none') return found;
  if (activation === 'sigmoid') return found.map((value) => 1 / (1 + Math.exp(-value)));
  const largest = found.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  // Taken off first, for large numbers would overflow; an infinite one less itself is no number.
  const powers = found.map((value) => (value === largest ? 1 : Math.exp(value - largest)));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
