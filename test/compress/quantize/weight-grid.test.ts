import fc from 'fast-check';
import { codeRange, fitGrid, type GridChoices, type WeightGrid } from '../../../lib/compress/quantize/weight-grid';
import { roundHalfToEven } from '../../../lib/core/half';
import { Rng } from '../../../lib/core/rng';

const SCHEMES = ['symmetric', 'affine', 'mean-centred', 'power-of-two'] as const;
const BITS = [2, 3, 4, 5, 6, 7, 8];

const choices = (
  scheme: GridChoices['scheme'],
  weightBits: number,
  weightRange: 'max' | 'mse' = 'max',
): GridChoices => ({
  scheme,
  weightBits,
  weightRange,
});

/** Code of a weight and the number it stands for. */
function onGrid(w: number, { scale, zeroPoint }: WeightGrid, [low, high]: readonly [number, number]) {
  const code = Math.min(high, Math.max(low, roundHalfToEven(Math.fround(w / Math.fround(scale))) + zeroPoint));
  return { code, real: (code - zeroPoint) * Math.fround(scale) };
}

const squaredError = (weights: Float32Array, grid: WeightGrid, codes: readonly [number, number]) =>
  weights.reduce((sum, w) => sum + (w - onGrid(w, grid, codes).real) ** 2, 0);

/** The formulas of the literature, one per scheme, written out for one set of weights. */
const FORMULAS: Record<GridChoices['scheme'], (w: readonly number[], b: number) => WeightGrid> = {
  symmetric: (w, b) => ({ scale: Math.max(...w.map(Math.abs)) / (2 ** (b - 1) - 1), zeroPoint: 0 }),
  affine: (w, b) => {
    const [min, max] = [Math.min(0, ...w), Math.max(0, ...w)];
    const scale = (max - min) / (2 ** b - 1);
    // Unsigned codes 0 to 2^b - 1, stored less 2^(b - 1).
    return { scale, zeroPoint: Math.min(2 ** b - 1, Math.max(0, Math.round(-min / scale))) - 2 ** (b - 1) };
  },
  'mean-centred': (w, b) => {
    const mean = w.reduce((a, x) => a + x, 0) / w.length;
    const largest = 2 ** (b - 1) - 1;
    const rough = Math.max(Math.abs(mean), ...w.map((x) => Math.abs(x - mean))) / largest;
    // The scale at which the farthest weight lies at an end of the codes, whichever side it is on.
    const scaleAt = (zero: number) =>
      Math.max(...w.map((x) => (x === 0 ? 0 : Math.abs(x) / (largest - Math.sign(x) * zero))));
    const zero = Math.round(-mean / rough);
    return scaleAt(zero) < scaleAt(0) ? { scale: scaleAt(zero), zeroPoint: zero } : { scale: scaleAt(0), zeroPoint: 0 };
  },
  'power-of-two': (w, b) => {
    const n = b - 1 - Math.ceil(Math.log2(Math.max(...w.map(Math.abs))));
    return { scale: 2 ** -n, zeroPoint: 0 };
  },
};

const SETS = [
  [0.5, -0.25, 1, 0.125],
  [1, 2, 3],
  [-3, -1, -0.5],
  [0, 0, 0.7],
  [5.1, 4.9, 5, 5.05],
  [-1e-3, 2e-3, 4e-3, -8e-3],
];

test.each(SCHEMES)('%s weights follow the formula', (scheme) => {
  for (const bits of BITS)
    for (const set of SETS) {
      const weights = Float32Array.from(set);
      const expected = FORMULAS[scheme]([...weights], bits);
      const found = fitGrid(weights, choices(scheme, bits))!;
      expect(found.scale).toBeCloseTo(expected.scale, 12);
      expect(found.zeroPoint + 0).toBe(expected.zeroPoint + 0);
    }
});

const weightSets = fc.array(fc.float({ noNaN: true, min: -8, max: 8 }), { minLength: 1, maxLength: 40 });

test.each(SCHEMES)('%s codes stay in their range, zero is exact and small errors are half a step', (scheme) => {
  fc.assert(
    fc.property(weightSets, fc.constantFrom(...BITS), fc.constantFrom('max', 'mse'), (set, bits, range) => {
      const weights = Float32Array.from(set);
      const given = choices(scheme, bits, range as 'max');
      const [low, high] = codeRange(given);
      expect(high - low).toBeLessThanOrEqual(2 ** bits - 1);
      const grid = fitGrid(weights, given);
      if (!grid || grid.scale < 1e-30) return;
      expect(Number.isInteger(grid.zeroPoint)).toBe(true);
      expect(onGrid(0, grid, [low, high]).real + 0).toBe(0);
      for (const w of weights) {
        const { code, real } = onGrid(w, grid, [low, high]);
        expect(code).toBeGreaterThanOrEqual(low);
        expect(code).toBeLessThanOrEqual(high);
        if (code > low && code < high) expect(Math.abs(real - w)).toBeLessThanOrEqual(grid.scale * 0.5001);
      }
      if (scheme === 'power-of-two') expect(Number.isInteger(Math.log2(grid.scale))).toBe(true);
    }),
  );
});

test('a range found by squared error is never worse than the whole one, and much better with an outlier', () => {
  fc.assert(
    fc.property(weightSets, fc.constantFrom(...SCHEMES), fc.constantFrom(...BITS), (set, scheme, bits) => {
      const weights = Float32Array.from(set);
      const whole = fitGrid(weights, choices(scheme, bits, 'max'));
      if (!whole || whole.scale < 1e-30) return;
      const best = fitGrid(weights, choices(scheme, bits, 'mse'))!;
      const codes = codeRange({ scheme, weightBits: bits });
      expect(squaredError(weights, best, codes)).toBeLessThanOrEqual(squaredError(weights, whole, codes));
    }),
  );
  const outlier = Float32Array.from({ length: 400 }, (_, i) => (i === 0 ? 4 : Math.sin(i)));
  const codes = codeRange({ scheme: 'symmetric', weightBits: 3 });
  const error = (range: 'max' | 'mse') =>
    squaredError(outlier, fitGrid(outlier, choices('symmetric', 3, range))!, codes);
  expect(error('mse')).toBeLessThan(error('max') / 3);
});

test('weights that are all zero have no grid of their own', () => {
  for (const scheme of SCHEMES) expect(fitGrid(new Float32Array(4), choices(scheme, 4))).toBeUndefined();
});

test('mean-centred weights have no coarser grid than symmetric ones, and a finer one off zero', () => {
  const rng = new Rng(4);
  for (const offset of [0, 0.01, 0.5, 3, -3]) {
    const weights = Float32Array.from({ length: 200 }, () => rng.normal() * 0.3 + offset);
    const [symmetric, centred] = (['symmetric', 'mean-centred'] as const).map(
      (scheme) => fitGrid(weights, choices(scheme, 8))!,
    );
    expect(centred.scale).toBeLessThanOrEqual(symmetric.scale);
    if (Math.abs(offset) === 3) expect(centred.scale).toBeLessThan(0.6 * symmetric.scale);
  }
});
