import type { ProductLayer } from '../layer-inputs';

/**
 * `|w| * ||x||_2` as the matrix `[groups, units, columns]` of a layer: a weight counts as much as what it multiplies (Sun et al.
 * 2023, equation 1). Only weights of one output unit compare. `columnPower` is the sum of squares per `[groups, columns]`.
 */
export function wandaScores(
  layer: Pick<ProductLayer, 'groups' | 'units' | 'columns'>,
  matrix: Float32Array,
  columnPower: Float64Array,
): Float64Array<ArrayBuffer> {
  const { units, columns } = layer;
  return Float64Array.from(matrix, (weight, at) => {
    const group = Math.floor(at / (units * columns));
    return Math.abs(weight) * Math.sqrt(columnPower[group * columns + (at % columns)]);
  });
}
