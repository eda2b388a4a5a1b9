import fc from 'fast-check';
import { LatencyHistogram } from '../../lib/telemetry/histogram';
import { addNoise, largest, pairedDifference, quantile, sqnrDb, wilsonInterval } from '../../lib/telemetry/statistics';

test('histogram percentiles are within 1/64 of the exact ones', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1e12, noNaN: true }), { minLength: 1, maxLength: 300 }), (values) => {
      const histogram = new LatencyHistogram();
      for (const value of values) histogram.record(value);
      const sorted = values.map(Math.round).sort((a, b) => a - b);
      for (const fraction of [0, 0.5, 0.9, 0.99, 1]) {
        const exact = sorted[Math.max(1, Math.ceil(fraction * sorted.length)) - 1];
        const found = histogram.percentile(fraction);
        expect(found).toBeGreaterThanOrEqual(exact);
        expect(found).toBeLessThanOrEqual(exact + Math.max(exact / 64, 0));
      }
      expect(histogram.summary()).toMatchObject({ count: values.length, maxUs: sorted.at(-1)! / 1000 });
    }),
  );
});

test('an empty histogram has no summary', () => {
  const histogram = new LatencyHistogram();
  expect(histogram.summary()).toBeNull();
  histogram.record(5);
  histogram.reset();
  expect(histogram.summary()).toBeNull();
});

test.each([
  [[3, 1, 2], 0.5, 2],
  [[0, 10], 0.25, 2.5],
  [[3, 1, 2], 0, 1],
  [[3, 1, 2], 1, 3],
  [[5], 0.3, 5],
  [[], 0.5, Number.NaN],
])('quantiles interpolate: of %j, %d is %d', (values, fraction, expected) => {
  expect(quantile(values, fraction)).toBe(expected);
});

test('Wilson interval against published values', () => {
  const [low, high] = wilsonInterval(90, 100);
  expect(low).toBeCloseTo(0.8256, 4);
  expect(high).toBeCloseTo(0.9448, 4);
});

test('paired difference', () => {
  expect(pairedDifference([1, 1, 0, 0], [1, 0, 0, 0])).toEqual({
    mean: -0.25,
    standardError: expect.closeTo(0.2165, 4),
  });
});

test('SQNR, all at once or piece by piece', () => {
  const none = { signal: 0, noise: 0 };
  expect(sqnrDb(addNoise(none, [1, 1], [1, 0.9]))).toBeCloseTo(23.01, 2);
  expect(sqnrDb(addNoise(addNoise(none, [1], [1]), [1], [0.9]))).toBeCloseTo(23.01, 2);
  expect(sqnrDb(addNoise(none, [1], [1]))).toBe(Number.POSITIVE_INFINITY);
});

test('the first of the largest', () => {
  expect(largest([1, 3, 3])).toBe(1);
  expect(largest([-2])).toBe(0);
});
