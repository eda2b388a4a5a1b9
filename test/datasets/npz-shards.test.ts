import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeNpz } from '../../lib/data/npz';
import { openNpzShards, type UseFile } from '../../lib/data/npz-shards';
import { openDataset } from '../../lib/data/open-dataset';
import type { BatchOptions, Dataset } from '../../lib/ir/dataset';
import { type Tensor, tensorFrom, toNumbers } from '../../lib/ir/tensor';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hone-shards-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const WIDTH = 500;
/** Samples `from` to before `to`: `WIDTH` times their number, which is their label as well. */
const samples = (from: number, to: number) =>
  new Map<string, Tensor>([
    [
      'x',
      tensorFrom(
        'float32',
        [to - from, WIDTH],
        Array.from({ length: (to - from) * WIDTH }, (_, i) => from + Math.floor(i / WIDTH)),
      ),
    ],
    [
      'labels',
      tensorFrom(
        'int64',
        [to - from],
        Array.from({ length: to - from }, (_, i) => from + i),
      ),
    ],
  ]);

function put(name: string, arrays: ReadonlyMap<string, Tensor>, packing: 'stored' | 'deflated' = 'stored'): string {
  const path = join(folder, name);
  writeFileSync(path, writeNpz(arrays, packing));
  return path;
}

/** First number of every sample; labels must say the same. */
async function order(dataset: Dataset, options: BatchOptions): Promise<number[]> {
  const found: number[] = [];
  for await (const { inputs, labels, count } of dataset.batches(options)) {
    const values = toNumbers(inputs.get('x')!);
    for (let i = 0; i < count; i++) {
      expect(values[i * WIDTH]).toBe(values[(i + 1) * WIDTH - 1]);
      expect(labels?.[i]).toBe(values[i * WIDTH]);
      found.push(values[i * WIDTH]);
    }
  }
  return found;
}

const INPUTS = new Map([['x', { type: 'float32' as const, shape: ['N', WIDTH] }]]);
const counting = (count: number) => Array.from({ length: count }, (_, i) => i);

test('a folder of .npz files is one dataset, in the order that one file would have', async () => {
  put('b.npz', samples(30, 50), 'deflated');
  put('a.npz', samples(0, 30));
  put('c.npz', samples(50, 64));
  writeFileSync(join(folder, 'notes.txt'), 'no samples');
  const dataset = await openDataset(folder, { inputs: INPUTS });
  expect(dataset).toMatchObject({ count: 64, hasLabels: true });
  expect(await order(dataset, { size: 10 })).toEqual(counting(64));
  rmSync(join(folder, 'notes.txt'));
  const whole = await openDataset(put('whole.npz', samples(0, 64)), { inputs: INPUTS });
  const options = { size: 7, seed: 5, skip: 2 };
  expect(await order(dataset, options)).toEqual(await order(whole, options));
  expect(await order(dataset.select([60, 2, 40]), { size: 3 })).toEqual([60, 2, 40]);
});

test('a batch reads its own rows and nothing else', async () => {
  const paths = [put('a.npz', samples(0, 300)), put('b.npz', samples(300, 600))];
  let bytes = 0;
  let largest = 0;
  const counted: UseFile = async (path, use) => {
    const file = readFileSync(path);
    return use(async (offset, length) => {
      bytes += length;
      largest = Math.max(largest, length);
      return new Uint8Array(file.subarray(offset, offset + length));
    }, file.length);
  };
  const dataset = await openNpzShards('shards', paths, INPUTS, counted);
  // The directory with room for its comment, the local and the array headers, and the labels.
  expect(bytes).toBeLessThan(2 * (3 * 65_600 + 300 * 8));
  bytes = 0;
  largest = 0;
  expect(new Set(await order(dataset, { size: 32, seed: 1 })).size).toBe(600);
  expect(bytes).toBe(600 * WIDTH * 4);
  expect(largest).toBeLessThan(32 * WIDTH * 4);
});

test('files that differ, shrink or are broken are named', async () => {
  const first = put('a.npz', samples(0, 30));
  const narrow = new Map([['x', tensorFrom('float32', [2, 3], [1, 2, 3, 4, 5, 6])]]);
  const open = (...paths: string[]) => openNpzShards('shards', paths, undefined);
  await expect(open(first, put('b.npz', narrow))).rejects.toThrow(
    /b\.npz.*x: float32\[samples,500\], labels.*found x: float32\[samples,3\]/,
  );
  await expect(open(first, join(folder, 'none.npz'))).rejects.toMatchObject({ code: 'E_FILE_NOT_FOUND' });
  writeFileSync(join(folder, 'text.npz'), 'no archive');
  await expect(open(join(folder, 'text.npz'))).rejects.toMatchObject({ code: 'E_DATA_FORMAT' });
  const byteValues = put(
    'byte.npz',
    new Map([
      [
        'x',
        tensorFrom(
          'uint8',
          [2, WIDTH],
          counting(1000).map((i) => i % 3),
        ),
      ],
    ]),
  );
  const converted = await openNpzShards('byte', [byteValues], INPUTS);
  for await (const { inputs } of converted.batches({ size: 2 })) expect(inputs.get('x')!.type).toBe('float32');
  const dataset = await open(first);
  truncateSync(first, 20_000);
  await expect(order(dataset, { size: 30 })).rejects.toThrow(/a\.npz.*shrunk/);
});

test('broken archives never do worse than E_DATA_FORMAT', async () => {
  const bytes = readFileSync(put('a.npz', samples(0, 3)));
  for (let at = 0; at < bytes.length; at += 13) {
    const broken = Uint8Array.from(bytes);
    broken[at] ^= 0xff;
    const path = join(folder, 'broken.npz');
    writeFileSync(path, broken);
    const outcome = await openNpzShards('broken', [path], undefined)
      .then(async (dataset) => {
        for await (const _ of dataset.batches({ size: 2 }));
        return 'read';
      })
      .catch((error: { code?: string }) => error.code);
    expect(['read', 'E_DATA_FORMAT', 'E_DATA_MISMATCH', 'E_DATA_EMPTY']).toContain(outcome);
  }
});
