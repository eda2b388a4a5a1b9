/**
 * Movement so far, `-sum over steps of w * dL/dw` (Sanh et al. 2020, equation 4; the learning rate changes no order while it is
 * constant): weights that training moves away from zero are worth most.
 */
export function movementScores(movement: ArrayLike<number>): Float64Array<ArrayBuffer> {
  return Float64Array.from(movement);
}
