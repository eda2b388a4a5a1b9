import { type LayerCost, sensitiveLayers } from '../../../lib/compress/quantize/sensitive-layers';

/** Layers with the noise (as a share of the outputs' power) that each adds on integers, and their multiply-accumulates. */
const layersOf = (rows: readonly (readonly [noise: number, macs: number])[]) => {
  const layers = rows.map(([, macs], index): LayerCost => ({ name: `l${index}`, macs }));
  const judge = async (float: ReadonlySet<string>) =>
    -10 * Math.log10(rows.reduce((sum, [noise], index) => (float.has(`l${index}`) ? sum : sum + noise), 1e-9));
  return { layers, judge };
};

test.each<[what: string, rows: [number, number][], share: number, names: string[] | undefined]>([
  [
    'nothing where outputs are good',
    [
      [1e-3, 10],
      [1e-3, 10],
    ],
    0.5,
    undefined,
  ],
  [
    'the one that breaks the outputs',
    [
      [1e-4, 50],
      [0.1, 10],
      [1e-4, 40],
    ],
    0.2,
    ['l1'],
  ],
  [
    'as few as reach 26 dB',
    [
      [1e-4, 50],
      [0.05, 5],
      [0.04, 5],
      [2e-3, 5],
      [1e-4, 35],
    ],
    0.2,
    ['l1', 'l2'],
  ],
  [
    'the cheaper of two with the same noise',
    [
      [0.05, 19],
      [0.05, 1],
      [1e-4, 80],
    ],
    0.05,
    ['l1'],
  ],
  [
    'nothing that costs more than may be spent',
    [
      [0.1, 60],
      [1e-4, 40],
    ],
    0.2,
    undefined,
  ],
  [
    'nothing that gains little',
    [
      [0.05, 40],
      [0.05, 40],
      [0.02, 20],
    ],
    0.2,
    undefined,
  ],
  [
    'what gains enough, though not all',
    [
      [0.02, 90],
      [0.1, 10],
    ],
    0.2,
    ['l1'],
  ],
  [
    'a third of the work where that buys 10 dB',
    [
      [0.1, 30],
      [4e-3, 35],
      [4e-3, 35],
    ],
    1,
    ['l0'],
  ],
  [
    'nothing where half the work buys 6 dB',
    [
      [0.015, 50],
      [0.005, 50],
    ],
    1,
    undefined,
  ],
  [
    'most of a network that is noise on integers',
    [
      [0.5, 40],
      [0.4, 40],
      [1e-3, 20],
    ],
    1,
    ['l0', 'l1'],
  ],
  [
    'no more than reaches 26 dB, of layers that noise is spread over',
    [
      [3e-3, 10],
      [3e-3, 10],
      [3e-3, 10],
      [1e-4, 70],
    ],
    1,
    ['l0', 'l1'],
  ],
  [
    'the noisiest, though cheap ones are noisy for their work',
    [
      [0.1, 45],
      [3e-3, 1],
      [1e-4, 54],
    ],
    0.45,
    ['l0'],
  ],
  [
    'nothing where nothing may be spent',
    [
      [0.1, 1],
      [1e-4, 99],
    ],
    0,
    undefined,
  ],
])('leaves in float %s', async (_, rows, share, names) => {
  const { layers, judge } = layersOf(rows);
  const found = await sensitiveLayers(layers, share, judge);
  expect(found?.names).toEqual(names);
  if (!found) return;
  const macs = layers.filter(({ name }) => found.names.includes(name)).reduce((sum, layer) => sum + layer.macs, 0);
  expect(found.share).toBeCloseTo(macs / layers.reduce((sum, layer) => sum + layer.macs, 0));
  expect(found.sqnrDb).toEqual({ before: await judge(new Set()), after: await judge(new Set(found.names)) });
});

test('outputs without a figure leave nothing in float', async () => {
  const { layers } = layersOf([
    [0.1, 1],
    [1e-4, 99],
  ]);
  for (const db of [Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY])
    expect(await sensitiveLayers(layers, 0.2, async () => db)).toBeUndefined();
});

test('how far the search is, is told layer by layer', async () => {
  const { layers, judge } = layersOf([
    [0.1, 1],
    [1e-4, 99],
  ]);
  const seen: string[] = [];
  await sensitiveLayers(layers, 0.2, judge, (done, total) => seen.push(`${done}/${total}`));
  expect(seen).toEqual(['1/2', '2/2']);
});
