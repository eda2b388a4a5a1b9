import { outputJudge } from '../../../lib/compress/keep-if-better';
import { quantize } from '../../../lib/compress/quantize/quantize';
import { Rng } from '../../../lib/core/rng';
import { datasetFromTensors } from '../../../lib/data/create-dataset';
import { openDataset } from '../../../lib/data/open-dataset';
import type { Dataset } from '../../../lib/ir/dataset';
import type { Graph } from '../../../lib/ir/graph';
import { tensorFrom, tensorOf } from '../../../lib/ir/tensor';
import { readModelFile } from '../../../lib/onnx/read-model';
import { createReferenceEvaluate, type ReferenceEvaluate } from '../../../lib/reference/evaluate';
import { casePath, describeWithCases } from '../../data';
import { imageNetwork, NetworkBuilder, randomImages } from './networks';

let reference: ReferenceEvaluate;
beforeAll(() => {
  reference = createReferenceEvaluate();
});
afterAll(() => reference.close());

type Options = Parameters<typeof quantize>[1]['options'];

async function quantized(graph: Graph, dataset: Dataset, options: Options = {}) {
  return quantize(graph, { dataset, evaluate: reference.evaluate, options });
}

/** SQNR of the outputs of the quantized network on `samples`. */
async function sqnrDb(graph: Graph, dataset: Dataset, samples: Dataset, options: Options = {}): Promise<number> {
  return outputJudge(graph, samples, reference)!((await quantized(graph, dataset, options)).graph);
}

const MASKS = [-1e4, -3.4e38, Number.NEGATIVE_INFINITY];

/** Numbers far below all others in front of a MaxPool, which never picks them. */
const SENTINELS: readonly [how: string, build: (net: NetworkBuilder, value: string, mask: number) => string][] = [
  [
    'padding',
    (net, value, mask) => {
      const pads = net.initializer(tensorFrom('int64', [8], [0, 0, 1, 1, 0, 0, 1, 1]), 'pads');
      return net.node('Pad', [value, pads, net.initializer(tensorFrom('float32', [], [mask]), 'fill')]);
    },
  ],
  ['a mask that is added', (net, value, mask) => net.node('Add', [value, net.initializer(columns(mask), 'mask')])],
  [
    'a mask that is subtracted',
    (net, value, mask) => net.node('Sub', [value, net.initializer(columns(-mask), 'mask')]),
  ],
  [
    'a choice',
    (net, value, mask) => {
      const where = net.initializer(tensorFrom('bool', [8], [1, 1, 1, 1, 1, 0, 1, 1]), 'where');
      return net.node('Where', [where, value, net.initializer(tensorFrom('float32', [], [mask]), 'other')]);
    },
  ],
];

/** A row that is `mask` in one of eight columns. */
const columns = (mask: number) => tensorFrom('float32', [8], [0, 0, 0, 0, 0, mask, 0, 0]);

describe.each(SENTINELS)('%s', (how, build) => {
  test.each(MASKS)('of %d in front of MaxPool takes no codes', async (mask) => {
    const net = imageNetwork();
    const masked = build(net, net.conv('a', 'x', 3, 6), mask);
    const pooled = net.apply('MaxPool', 'pooled', masked, { kernel_shape: [3, 3], strides: [2, 2] });
    const mean = net.apply('GlobalAveragePool', 'mean', net.conv('b', pooled, 6, 6));
    const graph = net.finish(net.dense('y', net.apply('Flatten', 'flat', mean), 6, 5));
    // A constant of infinity has no codes at all.
    if (!Number.isFinite(mask) && how.startsWith('a mask'))
      return expect(quantized(graph, randomImages(40))).rejects.toThrow(/mask.*-?Infinity/s);
    for (const estimator of ['mse', 'minmax'] as const)
      expect(await sqnrDb(graph, randomImages(40), randomImages(40), { estimator })).toBeGreaterThan(36);
  });
});

/** Gemm, Relu, Gemm on rows of 16 numbers. */
function rowNetwork(): Graph {
  const net = new NetworkBuilder({ name: 'rows' });
  net.input('x', 'float32', ['N', 16]);
  return net.finish(net.dense('y', net.apply('Relu', 'relu', net.dense('h', 'x', 16, 24)), 24, 5));
}

/** Two convolutions and a mean of them. */
function pictureNetwork(): Graph {
  const net = imageNetwork();
  const relu = net.apply('Relu', 'relu', net.conv('a', 'x', 3, 6));
  const mean = net.apply('GlobalAveragePool', 'mean', net.apply('Relu', 'relu2', net.conv('b', relu, 6, 6)));
  return net.finish(net.dense('y', net.apply('Flatten', 'flat', mean), 6, 5));
}

/** Normal samples of which some have an element at `at`. */
function spiked(graph: Graph, count: number, spikes: readonly (readonly [sample: number, at: number])[]): Dataset {
  const dims = graph.values.get('x')!.shape!.slice(1) as number[];
  const { data, size } = normal(count, dims, 3);
  for (const [sample, value] of spikes) data[sample * size + 7] = value;
  return datasetFromTensors('spiked', new Map([['x', tensorOf('float32', [count, ...dims], data)]]));
}

function normal(count: number, dims: readonly number[], seed: number) {
  const size = dims.reduce((product, dim) => product * dim, 1);
  const rng = new Rng(seed);
  return { size, data: Float32Array.from({ length: count * size }, () => rng.normal()) };
}

/** Samples like the spiked ones, without spikes. */
const fresh = (graph: Graph) => spiked(graph, 64, []);

describe('single outliers', () => {
  test.each<[what: string, network: () => Graph, count: number, spikes: [number, number][]]>([
    ['one of 8192 at 1e3', rowNetwork, 512, [[5, 1e3]]],
    ['one of 1024 at 1e6', rowNetwork, 64, [[30, 1e6]]],
    [
      'two of 1024 at -9999',
      rowNetwork,
      64,
      [
        [5, -9999],
        [10, -9999],
      ],
    ],
    ['one of 27648 at 3e4', pictureNetwork, 144, [[11, 3e4]]],
    [
      'one each way',
      pictureNetwork,
      100,
      [
        [11, 500],
        [60, -700],
      ],
    ],
  ])('%s', async (_, network, count, spikes) => {
    const graph = network();
    for (const estimator of ['mse', 'entropy', 'percentile'] as const) {
      const { graph: made, report } = await quantized(graph, spiked(graph, count, spikes), { estimator });
      expect(await outputJudge(graph, fresh(graph), reference)!(made)).toBeGreaterThan(33);
      const [warning] = report.diagnostics;
      expect(warning).toMatchObject({ kind: 'outlying-samples', where: 'value x' });
      expect(warning.message).toContain(`${spikes.length} of ${count} calibration samples reach`);
    }
  });

  test('does not spoil codes chosen by AdaRound', async () => {
    const graph = rowNetwork();
    const data = spiked(graph, 64, [
      [5, -9999],
      [10, -9999],
    ]);
    expect(await sqnrDb(graph, data, fresh(graph), { rounding: 'adaround' })).toBeGreaterThan(33);
  });

  test.each<[what: string, spikes: [number, number][]]>([
    ['in every sample', Array.from({ length: 64 }, (_, i) => [i, 1000 + i])],
    ['in a third of the samples', Array.from({ length: 21 }, (_, i) => [3 * i, -1000])],
    ['in one sample, but less than four times as far as the others', [[20, 12]]],
  ])('is kept where it matters: %s', async (_, spikes) => {
    const { report } = await quantized(rowNetwork(), spiked(rowNetwork(), 64, spikes));
    const x = report.values.find(({ value }) => value === 'x')!;
    expect(report.diagnostics.filter(({ kind }) => kind === 'outlying-samples')).toEqual([]);
    expect(x.high - x.low).toBeGreaterThan(0.95 * (x.max - x.min));
  });
});

test('is kept where outputs hang on it and not on all else', async () => {
  // y = relu(x7 - 20) / 100 + 1: what is lost of the normal elements does not show, a clipped spike would.
  const net = new NetworkBuilder({ name: 'alarm' });
  net.input('x', 'float32', ['N', 16]);
  const column = (value: number) =>
    net.initializer(
      tensorFrom(
        'float32',
        [16, 1],
        [...Array(16).keys()].map((i) => (i === 7 ? value : 0)),
      ),
      'w',
    );
  const bias = (value: number) => net.initializer(tensorFrom('float32', [1], [value]), 'b');
  const relu = net.apply('Relu', 'relu', net.node('Gemm', ['x', column(1), bias(-20)]));
  const w = net.initializer(tensorFrom('float32', [1, 1], [0.01]), 'w2');
  const graph = net.finish(net.node('Gemm', [relu, w, bias(1)], {}, { outputs: ['y'] }));
  const { report } = await quantized(graph, spiked(graph, 64, [[5, 1000]]));
  expect(report.diagnostics.filter(({ kind }) => kind === 'outlying-samples')).toEqual([]);
  expect(report.values.find(({ value }) => value === 'x')!.high).toBeGreaterThan(990);
  expect(report.outputs[0].sqnrDb).toBeGreaterThan(40);
});

/** Values of few levels, or of one. */
const LEVELS: readonly [what: string, graph: () => Graph, draw: (rng: Rng, sample: number) => number][] = [
  ['integers 0 to 10', rowNetwork, (rng) => rng.integer(0, 10)],
  ['integers -3 to 3 in pictures', pictureNetwork, (rng) => rng.integer(-3, 3)],
  ['zeros and ones', pictureNetwork, (rng) => rng.integer(0, 1)],
  ['pictures of one colour each', pictureNetwork, (_, sample) => (sample % 7) / 7],
  ['one picture of one colour', pictureNetwork, () => 0.7],
  ['zeros', pictureNetwork, () => 0],
];

test.each(LEVELS)('%s: no estimator is worse than the extremes', async (_, network, draw) => {
  const graph = network();
  const dims = graph.values.get('x')!.shape!.slice(1) as number[];
  const size = dims.reduce((product, dim) => product * dim, 1);
  const rng = new Rng(8);
  const data = Float32Array.from({ length: 64 * size }, (_, i) => draw(rng, Math.floor(i / size)));
  const samples = datasetFromTensors('levels', new Map([['x', tensorOf('float32', [64, ...dims], data)]]));
  const found: Record<string, number> = {};
  for (const estimator of ['minmax', 'mse', 'entropy', 'percentile'] as const)
    found[estimator] = await sqnrDb(graph, samples, samples, { estimator });
  for (const db of Object.values(found)) expect(db).toBeGreaterThan(Math.min(found.minmax, 45) - 3);
  expect(found.minmax).toBeGreaterThan(36);
});

describeWithCases('the cases', () => {
  test.each<[name: string, options: Options, first: number | undefined, leastDb: number]>([
    ['pad_big_maxpool', {}, undefined, 40],
    ['s_pad_1e4', {}, undefined, 42],
    ['s_add_mask', {}, undefined, 40],
    ['x_spike1e3_512', {}, 3, 30],
    ['x_spike1e3_512', { estimator: 'entropy' }, 3, 30],
    ['x_sentinel', { estimator: 'percentile', percentile: 99 }, 3, 30],
    ['x_sentinel', { rounding: 'adaround' }, 3, 30],
  ])('%s with %j', async (name, options, count, leastDb) => {
    const graph = await readModelFile(casePath(`${name}.onnx`));
    const data = await openDataset(casePath(`${name}.npz`));
    const first = data.select(Array.from({ length: count ?? data.count }, (_, index) => index));
    expect(await sqnrDb(graph, data, first, options)).toBeGreaterThan(leastDb);
  });
});
