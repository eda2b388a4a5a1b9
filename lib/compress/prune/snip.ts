/**
 * `|g w|`, how much the loss changes to first order when a connection is scaled down (Lee et al. 2019, equation 6; their division by
 * the sum over all weights changes no order). `gradient` is that of the mean loss over the samples.
 */
export function snipScores(weights: ArrayLike<number>, gradient: ArrayLike<number>): Float64Array<ArrayBuffer> {
  return Float64Array.from(weights, (weight, index) => Math.abs(gradient[index] * weight));
}
