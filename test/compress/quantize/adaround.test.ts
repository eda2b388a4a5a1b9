import { adaround, type RoundingProblem } from '../../../lib/compress/quantize/adaround';
import { Rng } from '../../../lib/core/rng';
import { createReferenceEvaluate, type ReferenceEvaluate } from '../../../lib/reference/evaluate';

let reference: ReferenceEvaluate;
beforeAll(() => {
  reference = createReferenceEvaluate();
});
afterAll(() => reference.close());

/** A layer of correlated inputs whose targets are the outputs of its float weights; moments by the definition. */
function randomProblem(seed: number, [groups, units, columns]: readonly [number, number, number]) {
  const rng = new Rng(seed);
  const rows = 4 * columns;
  const x = Array.from({ length: groups }, () =>
    Array.from({ length: rows }, () => {
      const common = rng.normal();
      return Array.from({ length: columns }, () => 0.7 * common + rng.normal());
    }),
  );
  const size = groups * units * columns;
  const weights = Float32Array.from({ length: size }, (_, i) => (i % 7 === 3 ? 0 : rng.normal()));
  const scales = Float32Array.from({ length: size }, (_, i) => 0.3 + 0.1 * (Math.floor(i / columns) % 3));
  const zeroPoints = Float32Array.from({ length: size }, (_, i) => Math.floor(i / columns) % 2);
  const y = (w: ArrayLike<number>, group: number, unit: number, row: number) =>
    x[group][row].reduce((sum, value, c) => sum + value * w[(group * units + unit) * columns + c], 0);
  const moments = new Float64Array(groups * columns ** 2);
  const cross = new Float64Array(groups * columns * units);
  const power = new Float64Array(groups * units);
  for (let g = 0; g < groups; g++)
    for (let row = 0; row < rows; row++) {
      for (let a = 0; a < columns; a++)
        for (let b = 0; b < columns; b++) moments[(g * columns + a) * columns + b] += x[g][row][a] * x[g][row][b];
      for (let u = 0; u < units; u++) {
        const target = y(weights, g, u, row);
        power[g * units + u] += target ** 2;
        for (let c = 0; c < columns; c++) cross[(g * columns + c) * units + u] += x[g][row][c] * target;
      }
    }
  const codes = weights.map((w, i) => w / scales[i] + zeroPoints[i]);
  const range = [-8, 7] as const;
  const problem: RoundingProblem = { groups, units, columns, codes, scales, zeroPoints, range, moments, cross, power };
  /** Squared error of some codes, sample by sample. */
  const errorOf = (integers: ArrayLike<number>) => {
    const rounded = Float64Array.from(integers, (code, i) => (code - zeroPoints[i]) * scales[i]);
    let sum = 0;
    for (let g = 0; g < groups; g++)
      for (let u = 0; u < units; u++)
        for (let row = 0; row < rows; row++) sum += (y(rounded, g, u, row) - y(weights, g, u, row)) ** 2;
    return sum;
  };
  return { problem, weights, errorOf };
}

test.each([
  [1, [1, 3, 8]],
  [2, [1, 6, 24]],
  [3, [4, 1, 9]],
] as const)(
  'chooses neighbouring codes with a smaller error than rounding to nearest (seed %d)',
  async (seed, dims) => {
    const { problem, weights, errorOf } = randomProblem(seed, dims);
    const { integers, error, nearestError } = await adaround(problem, reference.evaluate);
    const nearest = problem.codes.map((code) => Math.min(7, Math.max(-8, Math.round(code))));
    expect(nearestError / errorOf(nearest)).toBeCloseTo(1, 6);
    expect(error / errorOf(integers)).toBeCloseTo(1, 6);
    expect(error).toBeLessThan(0.9 * nearestError);
    integers.forEach((code, i) => {
      expect(Math.abs(code - Math.min(7, Math.max(-8, problem.codes[i])))).toBeLessThanOrEqual(1);
      if (weights[i] === 0) expect(code).toBe(problem.zeroPoints[i]);
    });
  },
);

test('comes near the best of all codings of a small unit', async () => {
  const { problem, errorOf } = randomProblem(6, [1, 1, 10]);
  const { error } = await adaround(problem, reference.evaluate);
  const floor = problem.codes.map((code) => Math.min(6, Math.max(-8, Math.floor(code))));
  const free = [...floor.keys()].filter((c) => problem.codes[c] !== problem.zeroPoints[c]);
  let best = Number.POSITIVE_INFINITY;
  for (let choice = 0; choice < 2 ** free.length; choice++) {
    const codes = floor.slice();
    free.forEach((c, bit) => {
      codes[c] += (choice >> bit) & 1;
    });
    best = Math.min(best, errorOf(codes));
  }
  expect(error).toBeLessThanOrEqual(1.4 * best);
});
