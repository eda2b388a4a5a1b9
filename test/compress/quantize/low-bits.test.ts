import { quantize } from '../../../lib/compress/quantize/quantize';
import type { PartialQuantizeOptions } from '../../../lib/compress/quantize/quantize-options';
import { Rng } from '../../../lib/core/rng';
import { datasetFromTensors } from '../../../lib/data/create-dataset';
import type { Dataset } from '../../../lib/ir/dataset';
import type { Graph } from '../../../lib/ir/graph';
import { type Tensor, tensorFrom, tensorOf, toNumbers, viewAs } from '../../../lib/ir/tensor';
import { verify } from '../../../lib/ir/verify';
import { readPlan } from '../../../lib/plan/reader';
import { createReferenceEvaluate, type ReferenceEvaluate } from '../../../lib/reference/evaluate';
import { openReference } from '../../../lib/reference/session';
import { compiled, runEngine } from '../../compile/run-case';
import { imageNetwork, randomImages } from './networks';

let reference: ReferenceEvaluate;
beforeAll(() => {
  reference = createReferenceEvaluate();
});
afterAll(() => reference.close());

/** Convolution, depthwise convolution, shortcut, pool and connected layer on single images. */
function network(): Graph {
  const net = imageNetwork(3, 1);
  const stem = net.apply('Relu', 'relu1', net.conv('conv1', 'x', 3, 8));
  const depthwise = net.apply('Relu', 'relu2', net.conv('depthwise', stem, 8, 8, { group: 8 }));
  const sum = net.node('Add', [net.conv('conv2', depthwise, 8, 8, { bias: false }), stem], {}, { outputs: ['sum'] });
  const flat = net.apply('Flatten', 'flat', net.apply('Relu', 'relu3', sum));
  return net.finish(net.dense('dense', flat, 512, 5));
}

const CALIBRATION = randomImages(20);
const IMAGES = randomImages(8, 3, 9);

async function* images(): AsyncGenerator<ReadonlyMap<string, Tensor>> {
  for await (const { inputs } of IMAGES.batches({ size: 1 })) yield inputs;
}

const run = (options: PartialQuantizeOptions) =>
  quantize(network(), { dataset: CALIBRATION, evaluate: reference.evaluate, options });

/** Layer operators of the plan, and how the engine differs from onnxruntime, which computes every node as it is written. */
async function inEngine(graph: Graph) {
  expect(verify(graph)).toEqual([]);
  const { plan } = compiled(graph);
  const ops = readPlan(plan).variants[0].nodes.map(({ op }) => op);
  await using plain = await openReference(graph, { optimization: 'disabled' });
  let [different, count, worst] = [0, 0, 0];
  for await (const inputs of images()) {
    const expected = viewAs((await plain.run(inputs)).get('dense')!, 'float32');
    const found = runEngine(plan, inputs).dense;
    expected.forEach((value, i) => {
      const error = Math.abs(found[i] - value);
      different += Number(error !== 0);
      worst = Math.max(worst, error);
      count++;
    });
  }
  // onnxruntime's own integer kernels take the form, too.
  await (await openReference(graph)).close();
  return { layers: ops.filter((op) => /conv|fc/.test(op)), different: different / count, worst };
}

const stepOf = (graph: Graph) => viewAs(graph.initializers.get('dense_scale')!, 'float32')[0];

const weightZeroPoints = ({ initializers }: Graph) =>
  [...initializers].flatMap(([name, tensor]) => (name.endsWith('_w_zero_point') ? toNumbers(tensor) : []));

const SCHEMES = ['symmetric', 'affine', 'mean-centred', 'power-of-two'] as const;

describe.each(SCHEMES)('%s weights', (scheme) => {
  test.each([2, 4, 8])('of %d bits run on the integer engine as in onnxruntime', async (weightBits) => {
    for (const granularity of weightBits === 4 ? (['channel', 'tensor'] as const) : (['channel'] as const)) {
      const { graph, report } = await run({ scheme, weightBits, granularity });
      expect(report.layers.every((layer) => layer.arithmetic === 'integer' && layer.scheme === scheme)).toBe(true);
      const codes = toNumbers(graph.initializers.get('conv1_w_quantized')!);
      expect(Math.max(...codes) - Math.min(...codes)).toBeLessThanOrEqual(2 ** weightBits - 1);
      // The mean is within half a coarse step of zero.
      if (scheme === 'affine' || (scheme === 'mean-centred' && weightBits === 8))
        expect(weightZeroPoints(graph).some((zero) => zero !== 0)).toBe(true);
      const { layers, different, worst } = await inEngine(graph);
      expect(layers).toEqual(['conv_s8', 'dwconv_s8', 'conv_s8', 'fc_s8']);
      expect(different).toBeLessThanOrEqual(0.05);
      expect(worst).toBeLessThanOrEqual(stepOf(graph) * 1.001);
    }
  });
});

test.each([2, 4])(
  'activations of %d bits use as many codes, in onnxruntime and in the engine',
  async (activationBits) => {
    const { graph, report } = await run({ activationBits });
    const limits = Object.fromEntries(report.values.map(({ value, limit }) => [value, limit]));
    expect(limits).toEqual({
      x: undefined,
      relu1: 2 ** activationBits - 1,
      relu2: 2 ** activationBits - 1,
      conv2: 2 ** activationBits - 1,
      relu3: 2 ** activationBits - 1,
      dense: 2 ** activationBits - 1,
    });
    for await (const inputs of images()) {
      const codes = (await reference.evaluate(graph, inputs, ['relu2_quantized'])).get('relu2_quantized')!;
      expect(new Set(viewAs(codes, 'uint8')).size).toBeLessThanOrEqual(2 ** activationBits);
    }
    const { layers, worst } = await inEngine(graph);
    expect(layers).toEqual(['conv_s8', 'dwconv_s8', 'conv_s8', 'fc_s8']);
    expect(worst).toBeLessThanOrEqual(stepOf(graph) * 1.001);
  },
);

test.each([
  [{ mode: 'dynamic-range' }, 'its weights alone are quantized'],
  [{ granularity: 'group', blockSize: 4 }, 'its weights have scales per block of 4'],
] as const)('%j keeps layers in float on quantized weights', async (options, reason) => {
  const { graph, report } = await run(options as PartialQuantizeOptions);
  const float = report.layers.filter(({ arithmetic }) => arithmetic === 'float').map(({ name }) => name);
  // The depthwise layer has one input channel: no blocks.
  const grouped = 'granularity' in options;
  expect(float).toEqual(grouped ? ['conv1', 'conv2', 'dense'] : ['conv1', 'depthwise', 'conv2', 'dense']);
  expect(report.skipped.find(({ name }) => name === 'conv1')!.reason).toContain(reason);
  expect(graph.initializers.get('conv1_w_quantized')!.type).toBe('int8');
  expect(graph.initializers.get('conv1_b')!.type).toBe('float32');
  if (grouped) expect(graph.initializers.get('dense_w_scale')!.dims).toEqual([128, 5]);
  expect(report.outputs[0].sqnrDb).toBeGreaterThan(30);
  const { layers, worst } = await inEngine(graph);
  expect(layers).toEqual(['conv_f32', grouped ? 'dwconv_s8' : 'dwconv_f32', 'conv_f32', 'fc_f32']);
  expect(worst).toBeLessThan(1e-4);
});

test('single layers can have choices of their own', async () => {
  const layers = { 'conv*': { weightBits: 4 }, conv2: { scheme: 'affine', activationBits: 5 } } as const;
  const { report } = await run({ layers });
  expect(report.layers.map(({ name, weightBits, scheme }) => `${name} ${weightBits} ${scheme}`)).toEqual([
    'conv1 4 symmetric',
    'depthwise 8 symmetric',
    'conv2 4 affine',
    'dense 8 symmetric',
  ]);
  expect(report.values.find(({ value }) => value === 'conv2')!.limit).toBe(31);
  await expect(run({ layers: { 'cvon*': { weightBits: 4 } } })).rejects.toMatchObject({ code: 'E_OPTION_VALUE' });
  await expect(run({ layers: { conv1: { weightBits: 9 } } })).rejects.toMatchObject({ code: 'E_OPTION_VALUE' });
});

test('AdaRound brings outputs nearer, keeps zeros and says where it was used', async () => {
  const float = network();
  const w = viewAs(float.initializers.get('conv2_w')!, 'float32').map((x, i) => (i % 3 === 0 ? 0 : x));
  const graph = {
    ...float,
    initializers: new Map([...float.initializers, ['conv2_w', tensorOf('float32', [8, 8, 3, 3], w)]]),
  };
  const options = { weightBits: 3, layers: { dense: { rounding: 'nearest', weightBits: 8 } } } as const;
  const context = { dataset: smoothImages(160), evaluate: reference.evaluate };
  const nearest = await quantize(graph, { ...context, options });
  const adapted = await quantize(graph, { ...context, options: { ...options, rounding: 'adaround' } });
  const [{ what, tried, kept }] = adapted.report.repairs;
  expect([what, tried]).toEqual(['rounding', 3]);
  expect(kept).toContain('conv2');
  const rounded = adapted.report.layers.filter(({ rounding }) => rounding === 'adaround');
  expect(rounded.map(({ name }) => name)).toEqual(kept);
  expect(adapted.report.outputs[0].sqnrDb).toBeGreaterThan(nearest.report.outputs[0].sqnrDb + 0.5);
  const codes = toNumbers(adapted.graph.initializers.get('conv2_w_quantized')!);
  expect(codes.every((code, i) => i % 3 !== 0 || code === 0)).toBe(true);
  expect(codes.every((code) => Math.abs(code) <= 3)).toBe(true);
  expect((await inEngine(adapted.graph)).layers).toEqual(['conv_s8', 'dwconv_s8', 'conv_s8', 'fc_s8']);
});

/** Smooth pictures: neighbours tell of each other, as AdaRound needs it to gain anything. */
function smoothImages(count: number): Dataset {
  const rng = new Rng(3);
  const pictures = Array.from({ length: count }, () => {
    const waves = Array.from({ length: 3 }, () => [rng.normal(), rng.normal() / 3, rng.normal() / 3, rng.normal() * 3]);
    return Array.from({ length: 192 }, (_, i) =>
      waves.reduce((sum, [size, down, right, phase], wave) => {
        const [row, column] = [Math.floor(i / 8) % 8, i % 8];
        return sum + size * Math.cos(down * row + right * column + phase + wave * Math.floor(i / 64));
      }, 0),
    );
  });
  return datasetFromTensors('smooth', new Map([['x', tensorFrom('float32', [count, 3, 8, 8], pictures.flat())]]));
}
