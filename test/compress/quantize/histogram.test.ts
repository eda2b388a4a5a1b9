import fc from 'fast-check';
import { ValueHistogram } from '../../../lib/compress/quantize/histogram';
import { Tally } from '../../../lib/compress/quantize/tally';
import { Rng } from '../../../lib/core/rng';

/** A histogram of the batches, in order. */
function histogramOf(...batches: ArrayLike<number>[]): ValueHistogram {
  const histogram = new ValueHistogram('x');
  for (const batch of batches) histogram.observe(Float32Array.from(batch));
  return histogram;
}

const finite = fc.float({ noNaN: true, noDefaultInfinity: true });

test('the result depends on the elements alone, not on order or batches', () => {
  fc.assert(
    fc.property(fc.array(finite, { minLength: 1, maxLength: 60 }), fc.nat(), fc.nat(), (data, seed, cut) => {
      const order = new Rng(seed).permutation(data.length);
      const shuffled = Array.from(order, (index) => data[index]);
      const at = cut % data.length;
      const [whole, parts] = [histogramOf(data), histogramOf(shuffled.slice(0, at), shuffled.slice(at))];
      expect(parts.filledBins()).toEqual(whole.filledBins());
      for (const key of ['min', 'max', 'count', 'zeros'] as const) expect(parts[key]).toBe(whole[key]);
    }),
  );
});

test('histograms that take turns with one tally do not see each other', () => {
  fc.assert(
    fc.property(fc.array(fc.array(finite, { maxLength: 8 }), { minLength: 2, maxLength: 8 }), (batches) => {
      const tally = new Tally();
      const both = [new ValueHistogram('x', tally), new ValueHistogram('y', tally)];
      batches.forEach((batch, index) => {
        both[index % 2].observe(Float32Array.from(batch));
      });
      both.forEach((shared, index) => {
        const alone = histogramOf(...batches.filter((_, at) => at % 2 === index));
        expect(shared.zeros).toBe(alone.zeros);
        if (alone.count > 0) expect(shared.filledBins()).toEqual(alone.filledBins());
      });
    }),
  );
});

/** Numbers that bins tell apart from zero. */
const visible = finite.filter((x) => x === 0 || Math.abs(x) > 1e-40);

test('bins hold what lies in them, at a resolution of 2048 for any range and 1024 for any octave', () => {
  fc.assert(
    fc.property(fc.array(visible, { minLength: 1, maxLength: 60 }), finite, (data, reach) => {
      const histogram = histogramOf(data);
      const range = { low: Math.min(0, reach), high: Math.max(0, reach) };
      const { centers, counts, width } = histogram.filledBins(range);
      const nonzero = Array.from(Float32Array.from(data.filter((x) => x !== 0))).sort((a, b) => a - b);
      expect(histogram.min).toBe(Math.min(...data) + 0);
      expect(histogram.max).toBe(Math.max(...data) + 0);
      expect(histogram.zeros).toBe(data.length - nonzero.length);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(nonzero.length);
      expect(width).toBeLessThanOrEqual(Math.max(2 ** -148, (range.high - range.low) / 1023));
      let at = 0;
      centers.forEach((center, i) => {
        for (const end = at + counts[i]; at < end; at++)
          expect(Math.abs(nonzero[at] - center)).toBeLessThanOrEqual(
            Math.max(width, Math.abs(nonzero[at]) / 1024, 2 ** -136) / 2,
          );
      });
    }),
  );
});

test('one far element leaves the others their bins', () => {
  const data = Array.from({ length: 500 }, (_, i) => i / 100 - 2.5);
  const range = { low: -2.5, high: 2.5 };
  const [plain, spiked] = [histogramOf(data), histogramOf([...data, 3e38, -3e38])];
  expect([...spiked.filledBins(range).counts]).toEqual([1, ...plain.filledBins(range).counts, 1]);
});

test('quantiles lie between the elements around them', () => {
  const histogram = histogramOf(Array.from({ length: 1000 }, (_, i) => i - 500));
  expect(histogram.quantile(0)).toBe(-500);
  expect(histogram.quantile(250)).toBeGreaterThanOrEqual(-251);
  expect(histogram.quantile(250)).toBeLessThanOrEqual(-250);
  expect(histogram.quantile(500.5)).toBe(0);
  expect(histogram.quantile(750)).toBeGreaterThanOrEqual(249);
  expect(histogram.quantile(750)).toBeLessThanOrEqual(250);
  expect(histogram.quantile(1000)).toBe(499);
  expect(histogramOf([0, 0, 0, -1]).quantile(2)).toBe(0);
});

test('zeros are in no bin', () => {
  expect(histogramOf([0, -0, 0]).filledBins().counts).toHaveLength(0);
  expect(histogramOf([0, -0, 0]).zeros).toBe(3);
  expect(histogramOf([-0])).toMatchObject({ min: 0, max: 0, zeros: 1 });
});

test('extents of samples, over all values that tell of them', () => {
  const histogram = new ValueHistogram('x');
  histogram.observe(Float32Array.of(1, 2, 0, -4), [2, 2], { first: 0, count: 2 });
  histogram.observe(Float32Array.of(5, 6), [1, 2], { first: 2, count: 1 });
  histogram.observe(Float32Array.of(-3), [1, 1], { first: 2, count: 1 });
  expect(histogram.samples).toEqual([
    { low: 0, high: 2, power: 5, count: 2 },
    { low: -4, high: 0, power: 16, count: 1 },
    { low: -3, high: 6, power: 70, count: 3 },
  ]);
  // Three rows of two samples: whose they are cannot be told.
  const mixed = new ValueHistogram('x');
  mixed.observe(Float32Array.of(1, 2, 3), [3, 1], { first: 0, count: 2 });
  expect(mixed.samples).toEqual([]);
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('refuses %p by name', (wrong) => {
  const histogram = new ValueHistogram('conv1');
  expect(() => histogram.observe(Float32Array.of(1, wrong))).toThrow(
    expect.objectContaining({ code: 'E_CALIBRATION', message: expect.stringContaining("'conv1'") }),
  );
});
