import { invertUpper, solveFactored, upperFactor } from '../../../lib/compress/cholesky';
import { outputChange, type SparseProblem, sparseGpt } from '../../../lib/compress/prune/sparsegpt';
import { Rng } from '../../../lib/core/rng';

/** Rows of correlated inputs: few sources, mixed, plus a little of their own. */
function correlatedRows(rng: Rng, rows: number, columns: number): number[][] {
  const mix = Array.from({ length: 3 }, () => Array.from({ length: columns }, () => rng.normal()));
  return Array.from({ length: rows }, () => {
    const sources = mix.map(() => rng.normal());
    return mix[0].map((_, column) => 0.3 * rng.normal() + sources.reduce((sum, s, k) => sum + s * mix[k][column], 0));
  });
}

function momentOf(rows: readonly (readonly number[])[]): Float64Array {
  const columns = rows[0].length;
  const moment = new Float64Array(columns ** 2);
  for (const row of rows)
    for (let i = 0; i < columns; i++) for (let j = 0; j < columns; j++) moment[i * columns + j] += row[i] * row[j];
  return moment;
}

function problem(seed: number, units: number, columns: number, goal: SparseProblem['goal']): SparseProblem {
  const rng = new Rng(seed);
  const moment = momentOf(correlatedRows(rng, 4 * columns, columns));
  const weights = Float32Array.from({ length: units * columns }, () => rng.normal());
  return { weights, units, columns, moment, goal };
}

const errorOf = ({ weights, moment, units, columns }: SparseProblem, after: Float32Array) =>
  outputChange(weights, after, moment, units, columns).lost;

/** The damped second moment that the method itself leans on: `2 X^T X` and 1 % of its mean diagonal. */
function hessianOf({ moment, columns }: SparseProblem): Float64Array {
  const hessian = moment.map((value) => 2 * value);
  let trace = 0;
  for (let i = 0; i < columns; i++) trace += hessian[i * columns + i];
  for (let i = 0; i < columns; i++) hessian[i * columns + i] += (0.01 * trace) / columns;
  return hessian;
}

/** Minimum of `(v - w)^T H (v - w)` over `v` that is zero where `w'` is: by plain Gaussian elimination. */
function leastSquares(hessian: Float64Array, w: ArrayLike<number>, kept: readonly number[]): number[] {
  const columns = w.length;
  const system = kept.map((i) => [
    ...kept.map((j) => hessian[i * columns + j]),
    Array.from(w).reduce((sum, value, j) => sum + hessian[i * columns + j] * value, 0),
  ]);
  for (let pivot = 0; pivot < kept.length; pivot++)
    for (let row = 0; row < kept.length; row++) {
      if (row === pivot) continue;
      const factor = system[row][pivot] / system[pivot][pivot];
      for (let k = pivot; k <= kept.length; k++) system[row][k] -= factor * system[pivot][k];
    }
  return system.map((row, index) => row[kept.length] / row[index]);
}

test('factors and solutions of a positive definite matrix', () => {
  const extent = 6;
  const matrix = momentOf(correlatedRows(new Rng(5), 40, extent));
  const factor = upperFactor(matrix, extent)!;
  const inverse = invertUpper(factor, extent);
  for (let i = 0; i < extent; i++)
    for (let j = 0; j < extent; j++) {
      let [product, identity] = [0, 0];
      for (let k = 0; k < extent; k++) {
        product += factor[i * extent + k] * factor[j * extent + k];
        identity += factor[i * extent + k] * inverse[k * extent + j];
      }
      expect(product).toBeCloseTo(matrix[i * extent + j], 8);
      expect(identity).toBeCloseTo(Number(i === j), 8);
    }
  const x = Float64Array.from({ length: extent }, (_, index) => index - 2);
  const b = x.map((_, i) => x.reduce((sum, value, j) => sum + matrix[i * extent + j] * value, 0));
  solveFactored(factor, extent, b);
  b.forEach((value, index) => {
    expect(value).toBeCloseTo(x[index], 8);
  });
  expect(upperFactor(Float64Array.of(1, 2, 2, 1), 2)).toBeUndefined();
});

test.each([1, 2, 3])('kept weights are the least squares solution (seed %i)', (seed) => {
  const given = problem(seed, 3, 7, { sparsity: 0.5 });
  const { weights } = sparseGpt(given);
  const hessian = hessianOf(given);
  for (let unit = 0; unit < 3; unit++) {
    const row = weights.subarray(unit * 7, (unit + 1) * 7);
    const kept = [...row.keys()].filter((column) => row[column] !== 0);
    const exact = leastSquares(hessian, given.weights.subarray(unit * 7, (unit + 1) * 7), kept);
    kept.forEach((column, index) => {
      expect(row[column]).toBeCloseTo(exact[index], 4);
    });
  }
});

test('one weight of one unit: the one that the exact search over all would take', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const given = problem(seed, 1, 5, { sparsity: 0.2 });
    const hessian = hessianOf(given);
    // Optimal Brain Surgeon: the loss of removing weight p alone and mending the others.
    const factor = upperFactor(hessian, 5)!;
    const losses = Array.from({ length: 5 }, (_, p) => {
      const column = Float64Array.from({ length: 5 }, (_, k) => Number(k === p));
      solveFactored(factor, 5, column);
      return given.weights[p] ** 2 / column[p];
    });
    const { weights } = sparseGpt(given);
    const removed = weights.indexOf(0);
    expect(weights.filter((weight) => weight === 0)).toHaveLength(1);
    // The saliency of the paper looks at the columns still to come only, so the best is not always found, but a good one is.
    expect(losses.toSorted((a, b) => a - b).indexOf(losses[removed])).toBeLessThan(3);
  }
});

test.each([0.3, 0.5, 0.8])('sparsity %f: exact count, and less error than magnitude', (sparsity) => {
  const given = problem(7, 6, 150, { sparsity });
  const { weights, change } = sparseGpt(given);
  expect(weights.filter((weight) => weight === 0)).toHaveLength(Math.floor(sparsity * 900));
  const sorted = given.weights.map(Math.abs).sort();
  const threshold = sorted[Math.floor(sparsity * 900)];
  const byMagnitude = given.weights.map((weight) => (Math.abs(weight) < threshold ? 0 : weight));
  expect(change.lost).toBeLessThan(0.5 * errorOf(given, byMagnitude));
  expect(change.lost).toBeCloseTo(errorOf(given, weights), 6);
});

test('N:M along lines of columns', () => {
  // Two kernel taps, six channels: neighbours are two columns apart.
  const lines = [0, 1].map((tap) => Array.from({ length: 6 }, (_, channel) => channel * 2 + tap));
  const { weights } = sparseGpt(problem(3, 4, 12, { keep: 2, of: 4, lines }));
  for (let unit = 0; unit < 4; unit++)
    for (const line of lines)
      for (const block of [line.slice(0, 4), line.slice(4)])
        expect(block.filter((column) => weights[unit * 12 + column] !== 0)).toHaveLength(2);
});

test('weights that are gone stay gone, and inputs that are always zero cost nothing', () => {
  const given = problem(9, 2, 6, { sparsity: 0.5 });
  const alive = Float32Array.from({ length: 12 }, (_, index) => Number(index % 6 !== 4));
  const { weights } = sparseGpt({ ...given, alive });
  expect([weights[4], weights[10]]).toEqual([0, 0]);

  const moment = given.moment.slice();
  for (let i = 0; i < 6; i++) for (const at of [i * 6 + 2, 12 + i]) moment[at] = 0;
  const dead = sparseGpt({ ...given, moment, goal: { sparsity: 1 / 6 } });
  expect([dead.weights[2], dead.weights[8]]).toEqual([0, 0]);
  expect(dead.change.lost).toBeCloseTo(0, 6);
  const silent = sparseGpt({ ...given, moment: new Float64Array(36) });
  expect(silent.change).toEqual({ lost: 0, whole: 0 });
});
