import fc from 'fast-check';
import { Histogram } from '../../../lib/compress/quantize/histogram';
import { Rng } from '../../../lib/core/rng';

/** A histogram of the batches, in order. */
function histogramOf(...batches: ArrayLike<number>[]): Histogram {
  const histogram = new Histogram('x');
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
      for (const key of ['min', 'max', 'count', 'zeros', 'width'] as const) expect(parts[key]).toBe(whole[key]);
    }),
  );
});

test('bins hold what lies in them', () => {
  fc.assert(
    fc.property(fc.array(finite, { minLength: 1, maxLength: 60 }), (data) => {
      const histogram = histogramOf(data);
      const { centers, counts } = histogram.filledBins();
      const nonzero = data.filter((x) => x !== 0);
      expect(histogram.min).toBe(Math.min(...data) + 0);
      expect(histogram.max).toBe(Math.max(...data) + 0);
      expect(histogram.zeros).toBe(data.length - nonzero.length);
      const expected = new Map<number, number>();
      for (const x of nonzero) {
        const bin = Math.floor(x / histogram.width);
        expected.set(bin, (expected.get(bin) ?? 0) + 1);
      }
      expect([...counts]).toEqual([...expected].sort(([a], [b]) => a - b).map(([, count]) => count));
      centers.forEach((center, i) => {
        const bin = [...expected.keys()].sort((a, b) => a - b)[i];
        expect(Math.abs(center - (bin + 0.5) * histogram.width)).toBeLessThanOrEqual(histogram.width / 2);
      });
    }),
  );
});

test('at least half of the bins span the data', () => {
  for (const [low, high] of [
    [0, 1],
    [-3, 5],
    [1e-20, 7e-20],
    [1e30, 3e30],
  ]) {
    const histogram = histogramOf([low, high]);
    const used = Math.floor(high / histogram.width) - Math.floor(low / histogram.width) + 1;
    expect(used).toBeGreaterThan(1023);
    expect(used).toBeLessThanOrEqual(2048);
  }
});

test('counts below a number', () => {
  const histogram = histogramOf(Array.from({ length: 1000 }, (_, i) => i - 500));
  expect(histogram.countBelow(-500)).toBe(0);
  expect(histogram.countBelow(0)).toBe(500);
  expect(histogram.countBelow(0.001)).toBeCloseTo(501, 1);
  expect(histogram.countBelow(1000)).toBe(1000);
});

test('keeps one number apart from its neighbours', () => {
  const next = Math.fround(1 + 2 ** -23);
  expect(histogramOf([1], [next]).filledBins().counts).toHaveLength(2);
  expect(histogramOf([0, 0]).filledBins().counts).toHaveLength(0);
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('refuses %p by name', (wrong) => {
  const histogram = new Histogram('conv1');
  expect(() => histogram.observe(Float32Array.of(1, wrong))).toThrow(
    expect.objectContaining({ code: 'E_CALIBRATION', message: expect.stringContaining("'conv1'") }),
  );
});
