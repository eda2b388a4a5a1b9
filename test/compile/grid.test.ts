import fc from 'fast-check';
import {
  clampCodes,
  composeBounds,
  dequantizeNumber,
  isUnbounded,
  limit,
  NO_BOUNDS,
  quantizeNumber,
  tableOnGrid,
} from '../../lib/compile/grid';

const grids = fc.record({
  scale: fc.double({ min: 2 ** -20, max: 100, noNaN: true }).map(Math.fround),
  zeroPoint: fc.integer({ min: -128, max: 127 }),
});
const numbers = fc.oneof(
  fc.double({ min: -1000, max: 1000, noNaN: true }).map(Math.fround),
  fc.constantFrom(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 0, -0),
);
const bounds = fc.tuple(numbers, numbers);

/** ONNX Clip: where min is above max, max wins. */
const clip = (x: number, [low, high]: readonly [number, number]): number => Math.min(Math.max(x, low), high);

test.each([
  [5, 1, 3, 3],
  [0, 1, 3, 1],
  [2, 1, 3, 2],
  [Number.NaN, 1, 3, 1],
  [Number.POSITIVE_INFINITY, -128, 127, 127],
])('limit(%p, %p, %p) is %p', (x, low, high, expected) => expect(limit(x, low, high)).toBe(expected));

test('two clamps are one, also where bounds cross', () => {
  fc.assert(
    fc.property(numbers, fc.array(bounds, { maxLength: 4 }), (x, chain) => {
      const joined = chain.reduce(composeBounds, NO_BOUNDS as readonly [number, number]);
      expect(clip(x, joined) + 0).toBe(chain.reduce(clip, x) + 0);
      expect(joined[0]).toBeLessThanOrEqual(joined[1]);
      if (chain.length === 0) expect(isUnbounded(joined)).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

test('clamping int8 is clamping before rounding, whatever the bounds', () => {
  fc.assert(
    fc.property(numbers, bounds, grids, (x, pair, grid) => {
      const ordered = composeBounds(NO_BOUNDS, pair);
      const { qmin, qmax } = clampCodes(ordered, grid);
      expect(qmin!).toBeLessThanOrEqual(qmax!);
      expect(limit(quantizeNumber(x, grid), qmin!, qmax!)).toBe(quantizeNumber(clip(x, ordered), grid));
    }),
    { numRuns: 1000 },
  );
});

test('quantizing saturates, rounds half to even and takes NaN for the least', () => {
  const grid = { scale: 0.5, zeroPoint: 3 };
  const cases = [
    [0.25, 3],
    [0.75, 5],
    [-0.25, 3],
    [1e9, 127],
    [-1e9, -128],
    [Number.NaN, -128],
  ];
  for (const [real, expected] of cases) expect(quantizeNumber(real, grid)).toBe(expected);
});

test('int8 numbers survive the way to float and back', () => {
  fc.assert(
    fc.property(fc.integer({ min: -128, max: 127 }), grids, (q, grid) => {
      expect(quantizeNumber(dequantizeNumber(q, grid), grid)).toBe(q);
    }),
  );
});

test('a table is indexed by the bits of the input', () => {
  const grid = { scale: 1, zeroPoint: 0 };
  const table = tableOnGrid(grid, grid, (real) => -real);
  expect([table[0], table[5], table[0xfb], table[0x80]]).toEqual([0, 0xfb, 5, 127]);
});

test('where a low bound is above the high one, the high one wins', () => {
  expect(composeBounds([5, 1], NO_BOUNDS)).toEqual([1, 1]);
  expect(composeBounds(NO_BOUNDS, [5, 1])).toEqual([1, 1]);
});
