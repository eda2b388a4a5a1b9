import fc from 'fast-check';
import { type QuantizeContext, quantize } from '../../../lib/compress/quantize/quantize';
import {
  choicesFor,
  DEFAULT_QUANTIZE_OPTIONS,
  type LayerChoices,
} from '../../../lib/compress/quantize/quantize-options';
import { saturationNotices } from '../../../lib/compress/quantize/report';
import { countPairs, largestPairs, type PairedLayer, pairLimit } from '../../../lib/compress/quantize/saturation';
import { layerConstants } from '../../../lib/compress/quantize/weights';
import { GraphBuilder } from '../../../lib/ir/builder';
import { elementCount, tensorFrom, viewAs } from '../../../lib/ir/tensor';
import { codesOf } from '../../../lib/passes/insert-qdq';
import { createReferenceEvaluate, type ReferenceEvaluate } from '../../../lib/reference/evaluate';
import { imageNetwork, randomImages, residualNetwork } from './networks';

/** What vpmaddubsw makes of two products. */
const addInInt16 = (sum: number) => Math.max(-32768, Math.min(32767, sum));

test('the limit is where sums of two products begin to leave int16', () => {
  for (const reach of [255, 127, 15])
    for (let sum = -256; sum <= 254; sum++)
      expect({ reach, sum, safe: Math.abs(sum) <= pairLimit(reach) }).toEqual({
        reach,
        sum,
        // One code below -32768 would be safe as well at some reaches; the limit is symmetric.
        safe: addInInt16(reach * Math.abs(sum)) === reach * Math.abs(sum),
      });
});

interface Layout {
  readonly what: string;
  readonly op: string;
  readonly dims: readonly number[];
  readonly axis?: number;
  readonly group?: number;
  /** Places of weights in the tensor, as onnxruntime 1.30 on AVX2 pairs them: found by trying every pair. */
  readonly measured: readonly (readonly [number, number])[];
  /** Further pairs of runtimes that fill the channels of a place up first. */
  readonly others?: readonly (readonly [number, number])[];
}

const LAYOUTS: readonly Layout[] = [
  { what: 'channels of one place', op: 'Conv', dims: [1, 4, 1, 1], measured: [[0, 1], [2, 3]] }, // biome-ignore format: a table
  { what: 'an odd number of channels', op: 'Conv', dims: [1, 3, 1, 1], measured: [[0, 1]] },
  {
    what: 'channels before places',
    op: 'Conv',
    dims: [1, 2, 1, 3],
    measured: [
      [0, 3],
      [1, 4],
      [2, 5],
    ],
  },
  {
    what: 'an odd number of channels runs over places',
    op: 'Conv',
    dims: [1, 3, 2, 2],
    measured: [
      [0, 4],
      [1, 8],
      [2, 6],
      [3, 10],
      [5, 9],
      [7, 11],
    ],
    others: [
      [1, 5],
      [3, 7],
    ],
  },
  {
    what: 'one channel',
    op: 'Conv',
    dims: [2, 1, 1, 5],
    measured: [
      [0, 1],
      [2, 3],
      [5, 6],
      [7, 8],
    ],
  },
  { what: 'depthwise', op: 'Conv', dims: [4, 1, 3, 3], group: 4, measured: [] },
  {
    what: 'two filters per channel',
    op: 'Conv',
    dims: [4, 1, 1, 3],
    group: 2,
    measured: [
      [0, 1],
      [3, 4],
      [6, 7],
      [9, 10],
    ],
  },
  {
    what: 'a matrix',
    op: 'MatMul',
    dims: [5, 2],
    axis: 1,
    measured: [
      [0, 2],
      [1, 3],
      [4, 6],
      [5, 7],
    ],
  },
  {
    what: 'a transposed matrix',
    op: 'Gemm',
    dims: [2, 4],
    axis: 0,
    measured: [
      [0, 1],
      [2, 3],
      [4, 5],
      [6, 7],
    ],
  },
  {
    what: 'a batch of matrices',
    op: 'MatMul',
    dims: [2, 2, 2],
    axis: 2,
    measured: [
      [0, 2],
      [1, 3],
      [4, 6],
      [5, 7],
    ],
  },
  {
    what: 'the adjoint of a convolution: input channels',
    op: 'ConvTranspose',
    dims: [4, 2, 1, 1],
    axis: 1,
    group: 2,
    measured: [],
    others: [
      [0, 2],
      [1, 3],
      [4, 6],
      [5, 7],
    ],
  },
];

function layerOf({ op, dims, axis = 0, group }: Layout): PairedLayer {
  const builder = new GraphBuilder();
  builder.input('x', 'float32', undefined);
  const w = builder.initializer(tensorFrom('float32', dims, new Array<number>(elementCount(dims)).fill(0)), 'w');
  builder.output(builder.node(op, ['x', w], group ? { group } : {}, { outputs: ['y'] }), 'float32', undefined);
  return { node: builder.build().nodes[0], dims, axis };
}

test.each(LAYOUTS.map((each) => [each.what, each] as const))('pairs: %s', (_what, layout) => {
  const layer = layerOf(layout);
  const { dims, measured, others = [] } = layout;
  const expected = [...measured, ...others].map((pair) => pair.join()).sort();
  const size = elementCount(dims);
  const found: string[] = [];
  for (let first = 0; first < size; first++)
    for (let second = first + 1; second < size; second++) {
      const codes = new Int8Array(size);
      codes[first] = codes[second] = 65;
      const { pairs, saturating, channels } = countPairs(layer, codes, 128);
      expect(pairs).toBe(expected.length);
      expect(channels).toHaveLength(saturating);
      if (saturating > 0) found.push(`${first},${second}`);
    }
  expect(found.sort()).toEqual(expected);
});

test('channels count along the axis of the scales', () => {
  const layer = layerOf({ what: '', op: 'MatMul', dims: [2, 3], axis: 1, measured: [] });
  expect(countPairs(layer, Int8Array.of(100, -65, 1, 29, -64, 127), 128)).toEqual({
    pairs: 3,
    saturating: 2,
    channels: [0, 1],
  });
  expect(countPairs(layer, Int8Array.of(100, -64, 1, 28, -64, 127), 128).saturating).toBe(0);
  expect([...largestPairs(layer, Float32Array.of(1, -2, 3, 0.5, -2, -3))]).toEqual([1.5, 4, 0]);
});

const INPUTS = 6;
const CHANNELS = 3;
const CHOICES = choicesFor(DEFAULT_QUANTIZE_OPTIONS, 'any');

const ways: Partial<LayerChoices>[] = (['symmetric', 'affine', 'mean-centred', 'power-of-two'] as const).flatMap(
  (scheme) =>
    (['channel', 'tensor'] as const).flatMap((granularity) =>
      (['max', 'mse'] as const).map((weightRange) => ({ scheme, granularity, weightRange })),
    ),
);

/** A Gemm and what quantization makes of its weights. */
function quantizeWeights(weights: readonly number[], choices: Partial<LayerChoices>) {
  const builder = new GraphBuilder();
  builder.input('x', 'float32', [1, INPUTS]);
  const w = builder.initializer(tensorFrom('float32', [INPUTS, CHANNELS], weights), 'w');
  builder.output(builder.node('Gemm', ['x', w], {}, { outputs: ['y'] }), 'float32', [1, CHANNELS]);
  const graph = builder.build();
  const layer = { node: graph.nodes[0], input: 'x', weight: { index: 1, axis: 1 }, bias: undefined };
  const { weight, narrowed } = layerConstants(
    graph,
    layer,
    { scale: 0.1, zeroPoint: 3 },
    { ...CHOICES, avoidSaturation: true, ...choices },
  );
  const codes = viewAs(codesOf(graph.initializers.get('w')!, weight), 'int8');
  return { weight, narrowed, codes };
}

const someWeights = fc.array(fc.float({ noNaN: true, min: -4, max: 4 }), {
  minLength: INPUTS * CHANNELS,
  maxLength: INPUTS * CHANNELS,
});

test.each(ways)('avoidSaturation leaves no pair that saturates: %p', (choices) => {
  fc.assert(
    fc.property(someWeights, (weights) => {
      const { codes } = quantizeWeights(weights, choices);
      for (let k = 0; k < INPUTS; k += 2)
        for (let c = 0; c < CHANNELS; c++) {
          const sum = 255 * (codes[k * CHANNELS + c] + codes[(k + 1) * CHANNELS + c]);
          expect(addInInt16(sum)).toBe(sum);
        }
    }),
  );
});

test('only channels with such pairs lose codes, and no more than they must', () => {
  // Channel 0: unlike signs; channel 1: 127 + 42 codes; channel 2: equal weights, the worst there is.
  const rows = [[1, 3, 1], [-1, 1, 1], [1, 3, 1], [0, 0, 1], [1, -3, 1], [-1, 3, 1]]; // biome-ignore format: a table
  const { weight, narrowed, codes } = quantizeWeights(rows.flat(), {});
  expect(narrowed).toEqual([1, 2]);
  expect([...weight.scales]).toEqual([1 / 127, 4 / 127, 2 / 127].map((scale) => expect.closeTo(scale, 6)));
  expect([...codes].filter((_, i) => i % CHANNELS === 1)).toEqual([95, 32, 95, 0, -95, 95]);
  const without = quantizeWeights(rows.flat(), { avoidSaturation: false });
  expect(without.narrowed).toEqual([]);
  expect(without.weight.scales[1]).toBeCloseTo(3 / 127, 6);
});

describe('whole networks', () => {
  let reference: ReferenceEvaluate;
  beforeAll(() => {
    reference = createReferenceEvaluate();
  });
  afterAll(() => reference.close());
  const run = (options: QuantizeContext['options'], graph = residualNetwork()) =>
    quantize(graph, { dataset: randomImages(64), evaluate: reference.evaluate, ...(options && { options }) });

  test('a report says which layers could saturate, and warns', async () => {
    const { report } = await run({});
    const byName = Object.fromEntries(report.layers.map((layer) => [layer.name, layer]));
    expect(byName.depthwise).toMatchObject({ pairs: 0, saturatingPairs: 0, saturatingChannels: [] });
    // 27 weights per channel: 13 pairs, and one more at each of the four places that begin within a pair.
    expect(byName.conv1.pairs).toBe(8 * (13 + 4));
    expect(byName.conv2.pairs).toBe((8 * 8 * 9) / 2);
    for (const name of ['conv1', 'conv2'] as const) expect(byName[name].saturatingPairs).toBeGreaterThan(0);
    expect(report.outputsWithSaturation).toBeNull();
    expect(report.diagnostics).toEqual([
      {
        severity: 'warning',
        kind: 'saturation',
        where: expect.stringMatching(/^(conv1|conv2|dense)$/),
        message: expect.stringMatching(/of 4 layers.*--avoid-saturation/),
      },
    ]);
  });

  test.each([
    {},
    { rounding: 'adaround' },
    { rounding: 'adaround', scheme: 'affine' },
    { biasCorrection: true },
  ] as const)('avoidSaturation clears every layer and tells what it costs: %p', async (options) => {
    const [plain, { report }] = [await run(options), await run({ ...options, avoidSaturation: true })];
    expect(report.layers.every(({ saturatingPairs }) => saturatingPairs === 0)).toBe(true);
    expect(report.layers.flatMap(({ narrowedChannels }) => narrowedChannels).length).toBeGreaterThan(0);
    expect(saturationNotices(report)).toEqual([]);
    expect(report.outputsWithSaturation).toEqual(plain.report.outputs);
    expect(report.outputs[0].sqnrDb).toBeGreaterThan(plain.report.outputs[0].sqnrDb - 6.1);
  });

  test('it holds for single layers, and says nothing where nothing changes', async () => {
    const { report } = await run({ layers: { conv1: { avoidSaturation: true } } });
    const saturating = Object.fromEntries(report.layers.map((layer) => [layer.name, layer.saturatingPairs]));
    expect(saturating.conv1).toBe(0);
    expect(saturating.conv2).toBeGreaterThan(0);
    const net = imageNetwork();
    const safe = await run({ avoidSaturation: true }, net.finish(net.conv('only', 'x', 3, 3, { group: 3 })));
    expect(safe.report.outputsWithSaturation).toBeNull();
    const coarse = await run({ weightBits: 7 });
    expect(saturationNotices(coarse.report)).toEqual([]);
  });

  test('weights with float activations make no integer products', async () => {
    const { report } = await run({ mode: 'dynamic-range' });
    expect(report.layers.map(({ pairs }) => pairs)).toEqual([0, 0, 0, 0]);
  });
});
