import { guardCount } from '../../lib/data/guard-count';
import type { Dataset } from '../../lib/ir/dataset';
import { datasetOf } from '../train/digits';

async function countOf(dataset: Dataset, skip?: number): Promise<number> {
  let seen = 0;
  for await (const { count } of dataset.batches({ size: 4, ...(skip === undefined ? {} : { skip }) })) seen += count;
  return seen;
}

const ten = datasetOf(new Float32Array(10), [1], new Int32Array(10));

test('a whole dataset passes, also without its first batches', async () => {
  expect(await countOf(guardCount(ten))).toBe(10);
  expect(await countOf(guardCount(ten), 1)).toBe(6);
  expect(await countOf(guardCount(ten), 5)).toBe(0);
  expect(await countOf(guardCount(ten).select([1, 2]))).toBe(2);
});

test('one that has shrunk since it was opened is an error', async () => {
  const shrunk: Dataset = { ...ten, batches: (options) => ten.select([0, 1, 2, 3, 4]).batches(options) };
  await expect(countOf(guardCount(shrunk))).rejects.toMatchObject({
    code: 'E_DATA_MISMATCH',
    details: { expected: expect.stringMatching(/^10 samples/), found: 5 },
  });
});
