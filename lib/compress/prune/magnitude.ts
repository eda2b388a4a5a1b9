/** `|w|`: the smallest weights go first (Han et al. 2015). */
export function magnitudeScores(weights: ArrayLike<number>): Float64Array<ArrayBuffer> {
  return Float64Array.from(weights, Math.abs);
}
