import type { ProductLayer } from '../layer-inputs';

/**
 * `|w| * ||x||_2` of every weight, in the order of its tensor: a weight counts as much as what it multiplies (Sun et al. 2023,
 * equation 1), in all layers that read it. `power` is the sum of squares of a reader's inputs, `[groups, columns]`.
 */
export function wandaScores(
  weights: Float32Array,
  readers: readonly {
    readonly layer: Pick<ProductLayer, 'units' | 'columns' | 'positions'>;
    readonly power: Float64Array;
  }[],
): Float64Array<ArrayBuffer> {
  const powers = new Float64Array(weights.length);
  for (const { layer, power } of readers) {
    const { units, columns, positions } = layer;
    positions.forEach((position, at) => {
      const group = Math.floor(at / (units * columns));
      powers[position] += power[group * columns + (at % columns)];
    });
  }
  return powers.map((power, at) => Math.abs(weights[at]) * Math.sqrt(power));
}
