import * as fc from 'fast-check';
import { ease, rollBack } from '../../../lib/compress/recipe/roll-back';

test('finds the fewest layers that must be left alone', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 60 }), async (layers, needed) => {
      const tried: number[] = [];
      const found = await rollBack(layers, 20, async (count) => {
        tried.push(count);
        return { passes: count >= needed, value: count };
      });
      expect(found).toBe(needed < layers ? needed : undefined);
      expect(new Set(tried).size).toBe(tried.length);
      expect(tried.length).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(Math.max(2, layers))) + 1);
      expect(tried.every((count) => count >= 1 && count < layers)).toBe(true);
    }),
  );
});

test('keeps what has passed when the tries run out', async () => {
  const attempt = async (count: number) => ({ passes: count >= 5, value: count });
  expect(await rollBack(100, 4, attempt)).toBe(8);
  expect(await rollBack(100, 3, attempt)).toBeUndefined();
  expect(await rollBack(100, 0, attempt)).toBeUndefined();
});

test('finds the largest share that passes, within its steps', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      fc.double({ min: 0.25, max: 0.75, noNaN: true }),
      async (limit, guess) => {
        const tried: number[] = [];
        const attempt = async (share: number) => {
          tried.push(share);
          return { passes: share <= limit, value: share };
        };
        const found = (await ease(20, guess, 1, attempt, () => false)) ?? 0;
        expect(found).toBeLessThanOrEqual(limit);
        expect(limit - found).toBeLessThanOrEqual(0.15 + 1e-9);
        expect(tried.length).toBeLessThanOrEqual(4);
      },
    ),
  );
});

test('neighbours end the search, and so do the tries', async () => {
  const tried: number[] = [];
  const attempt = async (share: number) => {
    tried.push(share);
    return { passes: share <= 0.6, value: share };
  };
  expect(await ease(20, 0.5, 1, attempt, (passed, failed) => failed - passed <= 0.5)).toBe(0.5);
  expect(tried).toEqual([0.5]);
  expect(await ease(1, 0.7, 1, attempt, () => false)).toBeUndefined();
  expect(await ease(0, 0.5, 1, attempt, () => false)).toBeUndefined();
});
