import * as fc from 'fast-check';
import { rollBack } from '../../../lib/compress/recipe/roll-back';

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
