import fc from 'fast-check';
import {
  type MaskChoice,
  selectBlocks,
  selectGlobal,
  selectLocal,
  selectRows,
  selectThreshold,
  splice,
  zerosIn,
} from '../../../lib/compress/prune/select-masks';

const scores = (values: readonly number[]) => ({ scores: Float64Array.from(values) });
const kept = ({ mask }: MaskChoice) => Array.from(mask);

/** Small whole numbers, so that ties are common. */
const tensor = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 30 });
const share = fc.double({ min: 0, max: 0.999, noNaN: true });

test('the lowest go, of equal ones the first', () => {
  expect(kept(selectLocal(scores([3, 1, 2, 1, 1]), 0.4))).toEqual([1, 0, 1, 0, 1]);
  expect(kept(selectLocal(scores([3, 1, 2, 1, 1]), 0.39))).toEqual([1, 0, 1, 1, 1]);
  expect(selectLocal(scores([3, 1, 2, 5]), 0.5).threshold).toBe(3);
});

test('globally: exactly the asked share, no kept element below a removed one', () => {
  fc.assert(
    fc.property(fc.array(tensor, { minLength: 1, maxLength: 4 }), share, (tensors, sparsity) => {
      const choices = selectGlobal(tensors.map(scores), sparsity, 0);
      const all = tensors.flat();
      const masks = choices.flatMap(kept);
      expect(zerosIn(masks)).toBe(Math.floor(sparsity * all.length));
      const lowestKept = Math.min(...all.filter((_, index) => masks[index] === 1));
      expect(Math.max(-1, ...all.filter((_, index) => masks[index] === 0))).toBeLessThanOrEqual(lowestKept);
    }),
  );
});

test('every tensor keeps its least share', () => {
  fc.assert(
    fc.property(fc.array(tensor, { minLength: 1, maxLength: 4 }), share, share, (tensors, sparsity, minKeep) => {
      // Every tensor after the first is worth more than all of the first.
      const competitors = tensors.map((values, index) => scores(values.map((value) => value + 100 * index)));
      for (const [index, choice] of selectGlobal(competitors, sparsity, minKeep).entries()) {
        const floor = Math.max(Math.min(minKeep, (1 - sparsity) / 2), minKeep * (1 - sparsity));
        const least = Math.ceil(floor * tensors[index].length);
        expect(kept(choice).filter(Boolean).length).toBeGreaterThanOrEqual(Math.min(least, tensors[index].length));
      }
    }),
  );
});

test('what is gone stays gone and counts', () => {
  const choice = selectGlobal([{ ...scores([9, 1, 2, 3]), alive: [0, 1, 1, 1] }], 0.5, 0)[0];
  expect(kept(choice)).toEqual([0, 0, 1, 1]);
  expect(kept(selectThreshold({ ...scores([9, 1, 2, 3]), alive: [0, 1, 1, 1] }, 2))).toEqual([0, 0, 1, 1]);
  expect(kept(selectThreshold(scores([1, 2, 3, 4]), 9, 0.5))).toEqual([0, 0, 1, 1]);
  expect(kept(selectThreshold(scores([1, 2, 3, 4]), 9, 0))).toEqual([0, 0, 0, 0]);
  expect(
    kept(selectBlocks({ ...scores([9, 1, 2, 3]), alive: [0, 1, 1, 1] }, [[0, 1, 2, 3]], { keep: 2, of: 4 })),
  ).toEqual([0, 0, 1, 1]);
});

test('rows compete within themselves', () => {
  const rows = [
    [0, 2, 4],
    [1, 3, 5],
  ];
  expect(kept(selectRows(scores([1, 10, 2, 20, 3, 30]), rows, 0.34))).toEqual([0, 0, 1, 1, 1, 1]);
});

test('N:M: every block keeps its N highest, a rest as many', () => {
  fc.assert(
    fc.property(tensor, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 4, max: 8 }), (values, keep, of) => {
      const line = values.map((_, index) => index);
      const mask = kept(selectBlocks(scores(values), [line], { keep, of }));
      for (let start = 0; start < line.length; start += of) {
        const block = line.slice(start, start + of);
        const stay = block.filter((index) => mask[index] === 1);
        expect(stay).toHaveLength(Math.min(keep, block.length));
        const removed = block.filter((index) => mask[index] === 0).map((index) => values[index]);
        expect(Math.max(-1, ...removed)).toBeLessThanOrEqual(Math.min(...stay.map((index) => values[index])));
      }
    }),
  );
});

test('splicing changes a mask only outside of the band around the threshold', () => {
  const values = [0.5, 0.85, 0.95, 1, 1.05, 1.15, 3];
  const choice = { mask: Float32Array.of(0, 0, 0, 1, 1, 1, 1), threshold: 1 };
  const spliced = (before: number) =>
    kept(
      splice(
        choice,
        Float64Array.from(values),
        values.map(() => before),
      ),
    );
  expect(spliced(1)).toEqual([0, 0, 1, 1, 1, 1, 1]);
  expect(spliced(0)).toEqual([0, 0, 0, 0, 0, 1, 1]);
});
