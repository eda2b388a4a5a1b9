import { augment } from '../../lib/data/augment';
import { datasetFromTensors } from '../../lib/data/create-dataset';
import type { BatchOptions, Dataset } from '../../lib/ir/dataset';
import { tensorFrom, viewAs } from '../../lib/ir/tensor';
import { datasetOf } from '../train/digits';

const SIDE = 5;

/** Images with one lit pixel, in the middle or left of it. */
function dots(count: number, lit = 12): Dataset {
  const samples = new Float32Array(count * SIDE * SIDE);
  for (let i = 0; i < count; i++) samples[i * SIDE * SIDE + lit] = i + 1;
  return datasetOf(samples, [1, SIDE, SIDE], new Int32Array(count));
}

/** Position of the lit pixel of every image, by the image's value; -1 for images that left the picture do not occur. */
async function litPixels(dataset: Dataset, options: Partial<BatchOptions> = {}): Promise<Map<number, number>> {
  const found = new Map<number, number>();
  for await (const { inputs, count } of dataset.batches({ size: 16, ...options })) {
    const pixels = viewAs(inputs.get('x')!, 'float32');
    for (let i = 0; i < count; i++) {
      const image = pixels.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE);
      const at = image.findIndex((value) => value !== 0);
      expect(image.filter((value) => value !== 0)).toHaveLength(1);
      found.set(image[at], at);
    }
  }
  return found;
}

const ascending = (values: Iterable<number>) => [...new Set(values)].sort((a, b) => a - b);

test('with a seed, pictures move by at most the given pixels, every way', async () => {
  const dataset = augment(dots(200), { shift: 1 });
  const positions = await litPixels(dataset, { seed: 3 });
  expect(positions.size).toBe(200);
  expect(ascending(positions.values())).toEqual([6, 7, 8, 11, 12, 13, 16, 17, 18]);
  expect(await litPixels(dataset, { seed: 3 })).toEqual(positions);
  expect(await litPixels(dataset, { seed: 4 })).not.toEqual(positions);
});

test('pictures are mirrored left to right, half of them', async () => {
  const positions = await litPixels(augment(dots(200, 11), { flip: true }), { seed: 3 });
  expect(ascending(positions.values())).toEqual([11, 13]);
  const mirrored = [...positions.values()].filter((at) => at === 13).length;
  expect(mirrored).toBeGreaterThan(70);
  expect(mirrored).toBeLessThan(130);
});

test('what happens to a batch does not depend on the batches before it', async () => {
  const dataset = augment(dots(100), { shift: 2, flip: true });
  const all = await litPixels(dataset, { seed: 3 });
  for (let skip = 1; skip < 7; skip++) {
    const rest = await litPixels(dataset, { seed: 3, skip });
    expect(rest.size).toBe(100 - 16 * skip);
    expect([...rest].filter(([value, at]) => all.get(value) !== at)).toEqual([]);
  }
});

test('without a seed, pictures stay as they are', async () => {
  const positions = await litPixels(augment(dots(20), { shift: 2, flip: true }).select([3, 4]));
  expect([...positions]).toEqual([
    [4, 12],
    [5, 12],
  ]);
});

test('other inputs stay; a dataset without pictures is refused', async () => {
  const row = tensorFrom('float32', [2, 3], [1, 2, 3, 4, 5, 6]);
  const picture = tensorFrom('float32', [2, 1, 1, 3], [1, 2, 3, 4, 5, 6]);
  const both = datasetFromTensors(
    'memory',
    new Map([
      ['row', row],
      ['picture', picture],
    ]),
  );
  for await (const { inputs } of augment(both, { shift: 1 }).batches({ size: 2, seed: 1 })) {
    const rows = [...viewAs(inputs.get('row')!, 'float32')];
    expect(rows.sort()).toEqual([1, 2, 3, 4, 5, 6]);
  }
  expect(() => augment(datasetFromTensors('memory', new Map([['row', row]])), { flip: true })).toThrow(
    /row: float32\[3\]/,
  );
});
