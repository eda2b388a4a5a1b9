/**
 * Adds `(g w)^2` of one batch to `sums`: the squared first-order change of the loss when a weight becomes zero, averaged over
 * batches (Molchanov et al. 2019, equation 8). `gradient` is that of the batch's mean loss, `share` the batch's part of all samples.
 */
export function addTaylorScores(
  sums: Float64Array,
  weights: ArrayLike<number>,
  gradient: ArrayLike<number>,
  share: number,
): void {
  for (let index = 0; index < sums.length; index++) sums[index] += share * (gradient[index] * weights[index]) ** 2;
}
