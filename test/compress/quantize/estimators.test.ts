import { affineOf, type NumberRange, rangeOf } from '../../../lib/compress/quantize/affine';
import { ESTIMATORS, type EstimatorName } from '../../../lib/compress/quantize/estimators';
import { ValueHistogram } from '../../../lib/compress/quantize/histogram';
import { Rng } from '../../../lib/core/rng';

// Local names: a look-up of the global object per element is slow inside jest's sandbox.
const { max, min, round } = Math;

const COUNT = 12000;

function sample(seed: number, draw: (rng: Rng) => number): Float32Array {
  const rng = new Rng(seed);
  return Float32Array.from({ length: COUNT }, () => draw(rng));
}

const laplace = (rng: Rng) => (rng.uniform() < 0.5 ? -1 : 1) * -Math.log(1 - rng.uniform());

/** Distributions of activations: two-sided, after a Relu, heavy tails, few outliers, a grid. */
const DATA: Readonly<Record<string, Float32Array>> = {
  uniform: sample(1, (rng) => rng.uniform() * 6 - 2),
  normal: sample(2, (rng) => rng.normal() + 0.5),
  relu: sample(3, (rng) => Math.max(0, rng.normal())),
  laplace: sample(4, laplace),
  outliers: sample(5, (rng) => rng.normal() * (rng.uniform() < 0.0005 ? 20 : 1)),
  pixels: sample(6, (rng) => rng.integer(0, 255)),
  negative: sample(7, (rng) => -Math.abs(rng.normal())),
};

function estimate(name: EstimatorName, data: Float32Array, percentile = 99.99): NumberRange {
  const histogram = new ValueHistogram('x');
  histogram.observe(data);
  return ESTIMATORS[name](histogram, { percentile });
}

/** Mean squared error of the data itself, without bins. */
function bruteError(data: Float32Array, range: NumberRange): number {
  const { scale, zeroPoint } = affineOf(range);
  let sum = 0;
  for (const x of data) {
    const level = min(255, max(0, round(x / scale) + zeroPoint));
    sum += (x - (level - zeroPoint) * scale) ** 2;
  }
  return sum / data.length;
}

describe.each(Object.entries(DATA))('%s', (_, data) => {
  const sorted = data.slice().sort();

  test('minmax gives the extremes and zero', () => {
    expect(estimate('minmax', data)).toEqual({ low: Math.min(0, sorted[0]), high: Math.max(0, sorted[COUNT - 1]) });
  });

  test.each([99.99, 99.9, 99])('percentile %d is that of the sorted data', (percentile) => {
    const cut = (COUNT * (100 - percentile)) / 200;
    const { low, high } = estimate('percentile', data, percentile);
    const width = (sorted[COUNT - 1] - sorted[0]) / 1024;
    const near = (found: number, index: number) => {
      const [before, after] = [sorted[Math.max(0, index - 1)], sorted[Math.min(COUNT - 1, index + 1)]];
      expect(found).toBeGreaterThanOrEqual(before - width);
      expect(found).toBeLessThanOrEqual(after + width);
    };
    if (low < 0) near(low, Math.floor(cut));
    else expect(sorted[Math.floor(cut)]).toBeGreaterThanOrEqual(-width);
    if (high > 0) near(high, COUNT - 1 - Math.floor(cut));
    else expect(sorted[COUNT - 1 - Math.floor(cut)]).toBeLessThanOrEqual(width);
  });

  test('mse is as good as the best of a brute-force search', () => {
    const full = estimate('minmax', data);
    let best = Number.POSITIVE_INFINITY;
    for (let i = 4; i <= 12; i++)
      for (let j = 4; j <= 12; j++)
        best = Math.min(best, bruteError(data, { low: (full.low * i) / 12, high: (full.high * j) / 12 }));
    expect(bruteError(data, estimate('mse', data))).toBeLessThanOrEqual(best * 1.02 + 1e-12);
  });

  test('every estimator stays inside the extremes and holds zero', () => {
    const full = estimate('minmax', data);
    for (const name of Object.keys(ESTIMATORS) as EstimatorName[]) {
      const { low, high } = estimate(name, data);
      expect(low).toBeGreaterThanOrEqual(full.low);
      expect(high).toBeLessThanOrEqual(full.high);
      expect(low <= 0 && high >= 0).toBe(true);
    }
  });
});

test('entropy keeps a uniform range and cuts far outliers', () => {
  expect(estimate('entropy', DATA.uniform)).toEqual(estimate('minmax', DATA.uniform));
  const [full, mse, cut] = (['minmax', 'mse', 'entropy'] as const).map((name) => estimate(name, DATA.outliers));
  expect(cut.high - cut.low).toBeLessThan((full.high - full.low) * 0.9);
  expect(bruteError(DATA.outliers, cut)).toBeLessThan(2.1 * bruteError(DATA.outliers, mse));
  expect(cut.high).toBeGreaterThan(3);
});

test('a grid of integers is kept exactly', () => {
  for (const name of ['minmax', 'mse', 'entropy'] as const)
    expect(affineOf(estimate(name, DATA.pixels))).toEqual({ scale: 1, zeroPoint: 0 });
});

describe('affineOf', () => {
  test.each([
    [0, 255, 1, 0],
    [0, 6, 6 / 255, 0],
    [-1, 1, 2 / 255, 128],
    [-255, 0, 1, 255],
    [2, 51, 0.2, 0],
    [0, 0, 1, 0],
  ])('[%d, %d] has scale %d and zero point %d', (low, high, scale, zeroPoint) => {
    const affine = affineOf({ low, high });
    expect(affine.scale).toBeCloseTo(scale, 7);
    expect(affine.zeroPoint).toBe(zeroPoint);
    expect(Math.fround(affine.scale)).toBe(affine.scale);
  });

  test('never reaches beyond a range that starts or ends at zero', () => {
    const rng = new Rng(9);
    for (let i = 0; i < 2000; i++) {
      const high = Math.fround(10 ** (rng.uniform() * 8 - 4));
      expect(rangeOf(affineOf({ low: 0, high })).high).toBeLessThanOrEqual(high);
      expect(rangeOf(affineOf({ low: -high, high: 0 })).low).toBeGreaterThanOrEqual(-high);
    }
  });

  test('a tiny range has a usable scale', () => {
    expect(affineOf({ low: 0, high: 1e-44 }).scale).toBeGreaterThan(1e-20);
  });
});
