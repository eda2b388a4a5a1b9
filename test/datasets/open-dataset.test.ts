import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { parsePreprocess } from '../../lib/core/preprocess';
import { formatNpy } from '../../lib/data/npy';
import { writeNpz } from '../../lib/data/npz';
import { openDataset } from '../../lib/data/open-dataset';
import type { Batch, BatchOptions, Dataset } from '../../lib/ir/dataset';
import type { ElementType } from '../../lib/ir/element-type';
import type { Dim } from '../../lib/ir/graph';
import { tensorFrom, toNumbers } from '../../lib/ir/tensor';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hone-data-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(name: string, bytes: Uint8Array): string {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
}
const want = (name: string, type: ElementType, shape: Dim[] | undefined) => ({
  inputs: new Map([[name, { type, shape }]]),
});
async function all(dataset: Dataset, options: BatchOptions): Promise<Batch[]> {
  const batches: Batch[] = [];
  for await (const batch of dataset.batches(options)) batches.push(batch);
  return batches;
}
const numbers = (batches: Batch[], name: string) => batches.map((batch) => toNumbers(batch.inputs.get(name)!));
const labels = (batches: Batch[]) => batches.flatMap((batch) => [...(batch.labels ?? [])]);
const counting = (count: number) => Array.from({ length: count }, (_, k) => k);
/** Five samples of two numbers, labels 0..4. */
const five = () =>
  new Map([
    ['x', tensorFrom('float32', [5, 2], counting(10))],
    ['labels', tensorFrom('int64', [5], counting(5))],
  ]);

describe('batches', () => {
  test('in order, the last one short, again and again', async () => {
    const dataset = await openDataset(put('a.npz', writeNpz(five())), want('x', 'float32', ['N', 2]));
    expect(dataset).toMatchObject({ count: 5, hasLabels: true });
    expect(dataset.inputs).toEqual(new Map([['x', { type: 'float32', dims: [2] }]]));
    for (let round = 0; round < 2; round++) {
      const batches = await all(dataset, { size: 2 });
      expect(numbers(batches, 'x')).toEqual([
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9],
      ]);
      expect(batches.map((batch) => batch.inputs.get('x')!.dims)).toEqual([
        [2, 2],
        [2, 2],
        [1, 2],
      ]);
      expect(labels(batches)).toEqual([0, 1, 2, 3, 4]);
    }
  });

  test('shuffled by seed: every sample once, inputs and labels together', async () => {
    const dataset = await openDataset(put('a.npz', writeNpz(five())));
    const once = await all(dataset, { size: 2, seed: 7 });
    expect(await all(dataset, { size: 2, seed: 7 })).toEqual(once);
    expect(labels(once)).not.toEqual([0, 1, 2, 3, 4]);
    expect(labels(once).sort()).toEqual([0, 1, 2, 3, 4]);
    expect(
      numbers(once, 'x')
        .flat()
        .filter((_, k) => k % 2 === 0),
    ).toEqual(labels(once).map((label) => 2 * label));
  });

  test('select picks samples, also of a selection', async () => {
    const dataset = await openDataset(put('a.npz', writeNpz(five())));
    const picked = dataset.select([4, 0, 2]).select([2, 0]);
    expect(picked.count).toBe(2);
    expect(numbers(await all(picked, { size: 9 }), 'x')).toEqual([[4, 5, 8, 9]]);
    expect(labels(await all(picked, { size: 9 }))).toEqual([2, 4]);
    for (const bad of [[5], [-1], [0.5]]) expect(() => dataset.select(bad)).toThrow(/not among the 5/);
  });
});

describe('npz and npy against a model', () => {
  test('a model with a fixed batch of 1 reads samples one at a time', async () => {
    const data = new Map([['Input3', tensorFrom('float32', [3, 1, 2, 2], counting(12))]]);
    const dataset = await openDataset(put('a.npz', writeNpz(data)), want('Input3', 'float32', [1, 1, 2, 2]));
    const batches = await all(dataset, { size: 1 });
    expect(batches).toHaveLength(3);
    expect(batches[2].inputs.get('Input3')!.dims).toEqual([1, 1, 2, 2]);
    expect(dataset.hasLabels).toBe(false);
    expect(batches[0].labels).toBeUndefined();
  });

  test('a single array fits a single input under any name; .npy has no name at all', async () => {
    const array = tensorFrom('float32', [3, 2], counting(6));
    for (const path of [put('a.npz', writeNpz(new Map([['arr_0', array]]))), put('a.npy', formatNpy(array))]) {
      const dataset = await openDataset(path, want('tokens', 'float32', ['N', 2]));
      expect([...dataset.inputs.keys()]).toEqual(['tokens']);
    }
    expect([...(await openDataset(join(folder, 'a.npy'))).inputs.keys()]).toEqual(['input']);
  });

  const conversions: ['uint8' | 'float64' | 'int32', ElementType][] = [
    ['uint8', 'float32'],
    ['float64', 'float32'],
    ['int32', 'int64'],
    ['uint8', 'int32'],
    ['int32', 'float64'],
  ];
  test.each(conversions)('%s becomes %s', async (from, to) => {
    const path = put('a.npy', formatNpy(tensorFrom(from, [2, 1], [3, 200])));
    const dataset = await openDataset(path, want('x', to, ['N', 1]));
    expect(dataset.inputs.get('x')!.type).toBe(to);
    const [batch] = await all(dataset, { size: 2 });
    expect(batch.inputs.get('x')!.type).toBe(to);
    expect(numbers([batch], 'x')).toEqual([[3, 200]]);
  });

  const bad: [string, Parameters<typeof want>, RegExp][] = [
    [
      'another name',
      ['y', 'float32', ['N', 2]],
      /an array 'y' of float32\[samples,2\], found .*x: float32\[5,2\].*extra/,
    ],
    ['another shape', ['x', 'float32', ['N', 3]], /'x' of float32\[samples,3\], found x: float32\[5,2\]/],
    ['another rank', ['x', 'float32', [1, 1, 2]], /float32\[samples,1,2\]/],
    ['a type that is no number', ['x', 'string', ['N', 2]], /type string for 'x', found float32/],
  ];
  test('refuses numbers that the type does not hold, before anything is read', async () => {
    const path = put('a.npy', formatNpy(tensorFrom('int64', [2, 1], [3, 2 ** 24 + 1])));
    await expect(openDataset(path, want('x', 'float32', ['N', 1]))).rejects.toMatchObject({
      code: 'E_DATA_MISMATCH',
      message: expect.stringMatching(/int64 16777217 at 1/),
    });
  });
  test.each(bad)('refuses %s', async (_, wanted, message) => {
    const path = put('a.npz', writeNpz(new Map([...five(), ['extra', tensorFrom('float32', [5], counting(5))]])));
    await expect(openDataset(path, want(...wanted))).rejects.toMatchObject({
      code: 'E_DATA_MISMATCH',
      message: expect.stringMatching(message),
    });
  });

  test('refuses counts that differ, labels that are no classes, no samples, no arrays', async () => {
    const x = tensorFrom('float32', [2, 1], [1, 2]);
    const open = (arrays: [string, typeof x][]) => openDataset(put('a.npz', writeNpz(new Map(arrays))));
    const cases: [[string, typeof x][], string, RegExp][] = [
      [
        [
          ['x', x],
          ['labels', tensorFrom('int64', [3], [1, 2, 3])],
        ],
        'E_DATA_MISMATCH',
        /2 samples in 'labels', as in 'x'/,
      ],
      [
        [
          ['x', x],
          ['labels', tensorFrom('float32', [2], [1, 2])],
        ],
        'E_DATA_MISMATCH',
        /float32\[2\]/,
      ],
      [
        [
          ['x', x],
          ['labels', tensorFrom('int64', [2, 10], counting(20))],
        ],
        'E_DATA_MISMATCH',
        /int64\[2,10\]/,
      ],
      [[['x', tensorFrom('float32', [0, 1], [])]], 'E_DATA_EMPTY', /no samples/],
      [[['x', tensorFrom('float32', [], [1])]], 'E_DATA_MISMATCH', /leading sample axis/],
      [[['labels', tensorFrom('int64', [2], [1, 2])]], 'E_DATA_FORMAT', /no arrays/],
    ];
    for (const [arrays, code, message] of cases)
      await expect(open(arrays)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });
});

describe('sample axes', () => {
  const open = (shape: Dim[], axis: number | 'none' | undefined, dims: number[]) => {
    const values = counting(dims.reduce((product, dim) => product * dim, 1));
    const path = put('a.npz', writeNpz(new Map([['x', tensorFrom('float32', dims, values)]])));
    return openDataset(path, {
      inputs: new Map([['x', { type: 'float32', shape, ...(axis !== undefined && { axis }) }]]),
    });
  };
  const CASES: [what: string, shape: Dim[], axis: number | 'none', array: number[], dims: number[], found: unknown][] =
    [
      ['a state without the axis', [2, 1, 3], 1, [4, 2, 3], [2, 3], 1],
      ['a state as the whole input', [2, 1, 3], 1, [4, 2, 1, 3], [2, 3], 1],
      ['a state with a free batch', [2, 'N', 3], 1, [4, 2, 1, 3], [2, 3], 1],
      ['the last axis', [2, 3, 'N'], 2, [4, 2, 3], [2, 3], 2],
      ['whole inputs of a model with a batch of 1', [1, 3], 0, [4, 1, 3], [3], undefined],
      ['tokens without a batch', ['T'], 'none', [4, 6], [6], 'none'],
      ['scalars', [], 'none', [4], [], 'none'],
      ['numbers for a vector', ['N'], 'none', [4], [], undefined],
      ['whole inputs that are no single sample', ['T', 3], 0, [4, 5, 3], [5, 3], 'none'],
      ['whole batches', [2, 3], 0, [4, 2, 3], [2, 3], 'none'],
    ];
  test.each(CASES)('%s', async (_, shape, axis, array, dims, found) => {
    const dataset = await open(shape, axis, array);
    expect(dataset).toMatchObject({ count: 4 });
    expect(dataset.inputs.get('x')).toEqual({ type: 'float32', dims, ...(found !== undefined && { axis: found }) });
    const [, second] = await all(dataset, { size: 1 });
    const whole = found === 'none' ? dims : dims.toSpliced((found as number | undefined) ?? 0, 0, 1);
    expect(second.inputs.get('x')!.dims).toEqual(whole);
    const size = dims.reduce((product, dim) => product * dim, 1);
    expect(numbers([second], 'x')[0]).toEqual(counting(size).map((k) => k + size));
  });

  test('samples stand side by side on an inner axis', async () => {
    const [batch, last] = await all(await open([2, 'N', 2], 1, [3, 2, 2]), { size: 2 });
    expect(batch.inputs.get('x')!.dims).toEqual([2, 2, 2]);
    expect(numbers([batch], 'x')[0]).toEqual([0, 1, 4, 5, 2, 3, 6, 7]);
    expect([last.inputs.get('x')!.dims, ...numbers([last], 'x')]).toEqual([
      [2, 1, 2],
      [8, 9, 10, 11],
    ]);
  });

  test.each([
    ['another state', [2, 1, 3], 1, [4, 3, 2]],
    ['a batch of two on the sample axis', [2, 1, 3], 1, [4, 2, 2, 3]],
    ['another rank', [2, 'N', 3], 1, [4, 3]],
    ['nothing but the samples', ['T', 3], 'none', [4]],
  ] as const)('refuses %s', async (_, shape, axis, array) => {
    await expect(open([...shape], axis, [...array])).rejects.toMatchObject({ code: 'E_DATA_MISMATCH' });
  });

  test('an input that may be left out', async () => {
    const path = put('a.npz', writeNpz(five()));
    const inputs = new Map([
      ['x', { type: 'float32', shape: ['N', 2] } as const],
      ['h', { type: 'float32', shape: ['N', 4], optional: true } as const],
    ]);
    expect([...(await openDataset(path, { inputs })).inputs.keys()]).toEqual(['x']);
    const none = new Map([['h', inputs.get('h')!]]);
    await expect(
      openDataset(put('b.npz', writeNpz(five())), { inputs: new Map([...none, ['g', inputs.get('x')!]]) }),
    ).rejects.toMatchObject({ code: 'E_DATA_MISMATCH' });
  });
});

describe('idx', () => {
  const images = Uint8Array.from([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 50, 100, 150, 1, 2, 3, 4]);
  const classes = Uint8Array.from([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]);

  test.each(['', '.gz'])('with labels of the usual name beside it%s', async (ending) => {
    const pack = ending === '' ? (bytes: Uint8Array) => bytes : gzipSync;
    put(`train-labels-idx1-ubyte${ending}`, pack(classes));
    const path = put(`train-images-idx3-ubyte${ending}`, pack(images));
    const dataset = await openDataset(path, want('x', 'float32', [1, 1, 2, 2]));
    const batches = await all(dataset, { size: 1 });
    expect(batches[0].inputs.get('x')).toMatchObject({ type: 'float32', dims: [1, 1, 2, 2] });
    expect(numbers(batches, 'x')).toEqual([
      [0, 50, 100, 150],
      [1, 2, 3, 4],
    ]);
    expect(labels(batches)).toEqual([7, 9]);
  });

  test('without labels, with preprocessing, in another layout', async () => {
    const path = put('pictures', images);
    const spec = parsePreprocess({ size: [2, 2], channels: 'gray', layout: 'NHWC', mean: 50, std: 50 });
    const dataset = await openDataset(path, { ...want('x', 'float32', ['N', 2, 2, 1]), preprocess: spec });
    expect(dataset).toMatchObject({ count: 2, hasLabels: false });
    expect(numbers(await all(dataset, { size: 1 }), 'x')[0]).toEqual([-1, 0, 1, 2]);
    const wrong = { ...want('x', 'float32', ['N', 1, 2, 2]), preprocess: spec };
    await expect(openDataset(path, wrong)).rejects.toMatchObject({ code: 'E_DATA_MISMATCH' });
    await expect(openDataset(path, want('x', 'float32', ['N', 1, 3, 3]))).rejects.toMatchObject({
      code: 'E_DATA_MISMATCH',
    });
  });
});

describe('pictures', () => {
  const rgba = (r: number, g: number, b: number, count = 4) => Buffer.from(Array(count).fill([r, g, b, 255]).flat());
  const png = (r: number, g: number, b: number) => {
    const image = new PNG({ width: 2, height: 2 });
    rgba(r, g, b).copy(image.data);
    return PNG.sync.write(image);
  };
  function classFolders(...names: string[]): void {
    names.forEach((name, index) => {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'b.png'), png(index, 10, 20));
      writeFileSync(join(folder, name, 'notes.txt'), 'no picture');
    });
  }

  test('one folder per class, in alphabetical order', async () => {
    classFolders('dog', 'cat');
    writeFileSync(join(folder, 'cat', 'a.PNG'), png(99, 10, 20));
    const dataset = await openDataset(folder, want('x', 'uint8', ['N', 3, 2, 2]));
    const batches = await all(dataset, { size: 2 });
    expect(labels(batches)).toEqual([0, 0, 1]);
    expect(numbers(batches, 'x')[0].slice(0, 8)).toEqual([99, 99, 99, 99, 10, 10, 10, 10]);
    expect(numbers(batches, 'x')[1][0]).toBe(0);
  });

  test('folders named by numbers are the labels', async () => {
    classFolders('10', '2');
    expect(labels(await all(await openDataset(folder), { size: 9 }))).toEqual([2, 10]);
  });

  test('pictures without classes, JPEG, preprocessing, bytes', async () => {
    put('a.jpg', jpeg.encode({ width: 16, height: 16, data: rgba(200, 100, 50, 256) }, 95).data);
    const spec = parsePreprocess({ size: [4, 4], layout: 'NHWC', channels: 'BGR', scale: 1 / 255 });
    const dataset = await openDataset(folder, { ...want('x', 'float32', ['N', 4, 4, 3]), preprocess: spec });
    expect(dataset.hasLabels).toBe(false);
    const [[blue, green, red]] = numbers(await all(dataset, { size: 1 }), 'x');
    expect(Math.abs(blue - 50 / 255) + Math.abs(green - 100 / 255) + Math.abs(red - 200 / 255)).toBeLessThan(0.03);
    const bytes = await openDataset(folder, want('x', 'uint8', [1, 16, 16, 3]));
    expect((await all(bytes, { size: 1 }))[0].inputs.get('x')).toMatchObject({ type: 'uint8', dims: [1, 16, 16, 3] });
  });

  test('a single picture is a sample; batches tell how large pictures were', async () => {
    writeFileSync(join(folder, 'a.png'), png(1, 2, 3));
    put('b.jpg', jpeg.encode({ width: 16, height: 8, data: rgba(200, 100, 50, 128) }, 95).data);
    const options = { ...want('x', 'float32', ['N', 3, 4, 4]), preprocess: parsePreprocess({ size: [4, 4] }) };
    const sizes = async (path: string) => (await all(await openDataset(path, options), { size: 9 }))[0].pictures;
    const single = await openDataset(join(folder, 'b.jpg'), options);
    expect([single.count, single.hasLabels]).toEqual([1, false]);
    expect(await sizes(join(folder, 'b.jpg'))).toEqual([{ width: 16, height: 8 }]);
    expect(await sizes(folder)).toEqual([
      { width: 2, height: 2 },
      { width: 16, height: 8 },
    ]);
    const [chosen] = await all((await openDataset(folder, options)).select([1]), { size: 1 });
    expect(chosen.pictures).toEqual([{ width: 16, height: 8 }]);
  });

  test('asks how pictures become floats, with what the model shows', async () => {
    classFolders('a');
    const suggestion = (json: object) => expect.stringContaining(`such as '${JSON.stringify(json)}'`);
    const plain = { scale: 1 / 255, mean: 0, std: 1 };
    const cases: [Parameters<typeof want>, object, object][] = [
      [['x', 'float32', ['N', 3, 8, 6]], {}, { size: [8, 6], layout: 'NCHW', channels: 'RGB', ...plain }],
      [['x', 'float32', ['N', 8, 6, 1]], {}, { size: [8, 6], layout: 'NHWC', channels: 'gray', ...plain }],
      [
        ['x', 'float32', ['N', 3, 'H', 'W']],
        { size: [64, 32], channels: 'BGR', scale: 1 },
        { size: [64, 32], layout: 'NCHW', channels: 'BGR', ...plain, scale: 1 },
      ],
    ];
    for (const [wanted, suggested, advice] of cases)
      await expect(openDataset(folder, { ...want(...wanted), suggested })).rejects.toMatchObject({
        code: 'E_PREPROCESS',
        message: expect.stringContaining("become input 'x' of float32["),
        hint: suggestion(advice),
      });
    const spec = parsePreprocess({ size: [2, 2] });
    expect(await openDataset(folder, { ...want('x', 'float32', ['N', 3, 2, 2]), preprocess: spec })).toMatchObject({
      count: 1,
    });
  });

  test('refuses empty folders, other shapes and broken pictures', async () => {
    await expect(openDataset(folder)).rejects.toMatchObject({ code: 'E_DATA_EMPTY' });
    classFolders('a');
    const spec = parsePreprocess({ size: [3, 3] });
    await expect(
      openDataset(folder, { ...want('x', 'float32', ['N', 3, 2, 2]), preprocess: spec }),
    ).rejects.toMatchObject({ code: 'E_DATA_MISMATCH' });
    await expect(openDataset(folder, want('x', 'float32', ['N', 12]))).rejects.toMatchObject({
      code: 'E_DATA_MISMATCH',
    });
    for (const broken of [
      png(1, 2, 3).subarray(0, 40),
      Buffer.from('GIF89a'),
      Buffer.of(0xff, 0xd8, 0xff),
      Buffer.of(),
    ]) {
      writeFileSync(join(folder, 'a', 'b.png'), broken);
      await expect(openDataset(folder)).rejects.toMatchObject({ code: 'E_DATA_FORMAT' });
    }
  });
});

test('files that are not there or of no known kind', async () => {
  await expect(openDataset(join(folder, 'none'))).rejects.toMatchObject({ code: 'E_FILE_NOT_FOUND' });
  await expect(openDataset(put('a.csv', Buffer.from('1,2,3')))).rejects.toMatchObject({ code: 'E_DATA_FORMAT' });
  await expect(openDataset(put('a.gz', Buffer.of(0x1f, 0x8b, 1)))).rejects.toMatchObject({ code: 'E_DATA_FORMAT' });
  await expect(openDataset(put('empty', Buffer.of()))).rejects.toMatchObject({ code: 'E_DATA_FORMAT' });
});
