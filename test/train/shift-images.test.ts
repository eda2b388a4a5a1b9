import { shiftImages } from '../../bench/demo/shift-images';
import type { Dataset } from '../../lib/ir/dataset';
import { viewAs } from '../../lib/ir/tensor';
import { datasetOf } from './digits';

const SIDE = 5;

/** Images with one lit pixel in the middle. */
function dots(count: number): Dataset {
  const samples = new Float32Array(count * SIDE * SIDE);
  for (let i = 0; i < count; i++) samples[i * SIDE * SIDE + 12] = i + 1;
  return datasetOf(samples, [1, SIDE, SIDE], new Int32Array(count));
}

/** Position of the lit pixel of every image, by the image's value. */
async function litPixels(dataset: Dataset, seed?: number): Promise<Map<number, number>> {
  const found = new Map<number, number>();
  for await (const { inputs, count } of dataset.batches({ size: 16, seed })) {
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

test('with a seed, images move by at most the given pixels, every way', async () => {
  const positions = await litPixels(shiftImages(dots(200), 1), 3);
  expect(positions.size).toBe(200);
  expect([...new Set(positions.values())].sort((a, b) => a - b)).toEqual([6, 7, 8, 11, 12, 13, 16, 17, 18]);
  expect(await litPixels(shiftImages(dots(200), 1), 3)).toEqual(positions);
  expect(await litPixels(shiftImages(dots(200), 1), 4)).not.toEqual(positions);
});

test('without a seed, images stay where they are', async () => {
  const positions = await litPixels(shiftImages(dots(20), 2).select([3, 4]));
  expect([...positions]).toEqual([
    [4, 12],
    [5, 12],
  ]);
});
