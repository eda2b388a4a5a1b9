import { Rng } from '../../lib/core/rng';
import { type Tensor, viewAs } from '../../lib/ir/tensor';
import { glorotUniform, heNormal } from '../../lib/train/initialise';

/** Root of the mean square. */
function deviationOf(tensor: Tensor): number {
  const values = viewAs(tensor, 'float32');
  return Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length);
}

const largestOf = (tensor: Tensor) => Math.max(...viewAs(tensor, 'float32').map(Math.abs));

/** Weights of 20 units with 90 inputs each as every layer lays them out. */
test.each<[what: string, dims: number[], layout: 'out-in' | 'in-out' | undefined, fanOut: number]>([
  ['a matrix [out, in]', [20, 90], 'out-in', 20],
  ['a matrix [out, in], which is the default', [20, 90], undefined, 20],
  ['a matrix [in, out]', [90, 20], 'in-out', 20],
  ['a kernel [out, in, 3, 3]', [20, 10, 3, 3], 'out-in', 180],
  ['a kernel [in, out, 3, 3]', [10, 20, 3, 3], 'in-out', 180],
])('%s: variance by the inputs of a unit, limits by its inputs and outputs', (_, dims, layout, fanOut) => {
  const he = heNormal(new Rng(3), dims, layout);
  expect(he.dims).toEqual(dims);
  // 1800 draws: a standard error of 1.7 %.
  expect(deviationOf(he) / Math.sqrt(2 / 90)).toBeCloseTo(1, 1);
  const glorot = glorotUniform(new Rng(4), dims, layout);
  const limit = Math.sqrt(6 / (90 + fanOut));
  expect(largestOf(glorot)).toBeLessThanOrEqual(limit);
  expect(largestOf(glorot)).toBeGreaterThan(0.99 * limit);
  expect(deviationOf(glorot) / (limit / Math.sqrt(3))).toBeCloseTo(1, 1);
});
