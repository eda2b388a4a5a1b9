import type { MethodContext } from '../../../lib/compress/method';
import { allocationPath, averageBits } from '../../../lib/compress/quantize/allocate-bits';
import {
  quantizationSensitivity,
  type SensitivityRow,
  sensitivityOptions,
} from '../../../lib/compress/quantize/quantization-sensitivity';
import {
  type QuantizeMethodReport,
  quantizeMethod,
  quantizeMethodOptions,
} from '../../../lib/compress/quantize/quantize-method';
import { parseOptions } from '../../../lib/core/parse-options';
import type { Dataset } from '../../../lib/ir/dataset';
import type { Graph } from '../../../lib/ir/graph';
import { tensorOf, toNumbers, viewAs } from '../../../lib/ir/tensor';
import { createReferenceEvaluate, type ReferenceEvaluate } from '../../../lib/reference/evaluate';
import { randomImages, residualNetwork } from './networks';

let reference: ReferenceEvaluate;
beforeAll(() => {
  reference = createReferenceEvaluate();
});
afterAll(() => reference.close());

const VALIDATION = randomImages(64, 3, 12);

/** Share of validation samples whose class is that of the float network. */
async function agreement(graph: Graph, float: Graph): Promise<number> {
  const classes = async (each: Graph) => {
    const found: number[] = [];
    for await (const { inputs } of VALIDATION.batches({ size: 64 })) {
      const scores = viewAs((await reference.evaluate(each, inputs, each.outputs)).get(each.outputs[0])!, 'float32');
      for (let at = 0; at < scores.length; at += 5) {
        const row = scores.subarray(at, at + 5);
        found.push(row.indexOf(Math.max(...row)));
      }
    }
    return found;
  };
  const [a, b] = [await classes(graph), await classes(float)];
  return a.filter((label, i) => label === b[i]).length / a.length;
}

/** 1 less the relative error of the outputs on the validation samples, root mean square. */
async function nearness(graph: Graph, float: Graph): Promise<number> {
  const [sums, size] = [{ noise: 0, power: 0 }, 64];
  for await (const { inputs } of VALIDATION.batches({ size })) {
    const valuesOf = async (each: Graph) =>
      viewAs((await reference.evaluate(each, inputs, each.outputs)).get(each.outputs[0])!, 'float32');
    const [found, expected] = [await valuesOf(graph), await valuesOf(float)];
    found.forEach((value, i) => {
      sums.noise += (value - expected[i]) ** 2;
      sums.power += expected[i] ** 2;
    });
  }
  return 1 - Math.sqrt(sums.noise / sums.power);
}

function contextFor(float: Graph, training?: Dataset, keep: readonly string[] = []): MethodContext {
  return {
    data: { training, calibration: randomImages(64), validation: VALIDATION },
    evaluate: reference.evaluate,
    score: (graph) => agreement(graph, float),
    teacher: float,
    seed: 1,
    keep: new Set(keep),
    target: { isa: 'ref' },
  };
}

const optionsFor = (given: object) => parseOptions(quantizeMethodOptions, given);

test('decides over every layer, and leaves alone what is to be kept', async () => {
  const float = residualNetwork();
  const { graph, decisions, report } = await quantizeMethod.apply(
    float,
    optionsFor({ weightBits: 4 }),
    contextFor(float, undefined, ['depthwise']),
  );
  const layers = decisions.filter(({ damage }) => damage !== undefined);
  expect(layers.map(({ layer }) => layer)).toEqual(['conv1', 'conv2', 'dense']);
  expect(layers[0].treatment).toBe('4-bit symmetric weights, computes on integers');
  for (const { damage } of layers) expect(damage).toBeGreaterThan(0);
  expect(decisions.find(({ layer }) => layer === 'depthwise')).toMatchObject({ reason: 'kept as it is' });
  expect(graph.initializers.get('depthwise_w')!.type).toBe('float32');
  expect(report).toMatchObject({ averageBits: 4 });
});

test('training brings the outputs nearer, and zero weights stay zero', async () => {
  const float = residualNetwork();
  const w = viewAs(float.initializers.get('conv2_w')!, 'float32').map((x, i) => (i % 2 === 0 ? 0 : x));
  const sparse = {
    ...float,
    initializers: new Map(float.initializers).set('conv2_w', tensorOf('float32', [8, 8, 3, 3], w)),
  };
  const score = (graph: Graph) => nearness(graph, sparse);
  const context = { ...contextFor(sparse, randomImages(128, 3, 30)), score };
  const plain = await quantizeMethod.apply(sparse, optionsFor({ weightBits: 3, biasCorrection: false }), context);
  const qat = { epochs: 6, batchSize: 32, select: 'last', learningRate: 0.02 };
  const trained = await quantizeMethod.apply(
    sparse,
    optionsFor({ weightBits: 3, biasCorrection: false, method: 'qat', qat }),
    context,
  );
  const outputOf = ({ report }: { readonly report: object }) =>
    (report as { outputs: { sqnrDb: number }[] }).outputs[0].sqnrDb;
  expect(outputOf(trained)).toBeGreaterThan(outputOf(plain) + 1.5);
  const codes = toNumbers(trained.graph.initializers.get('conv2_w_quantized')!);
  expect(codes.every((code, i) => i % 2 !== 0 || code === 0)).toBe(true);
  const scale = (graph: Graph) => toNumbers(graph.initializers.get('relu1_scale')!)[0];
  expect(scale(trained.graph)).not.toBe(scale(plain.graph));
});

test('training that ends below rounding alone is undone, and says so', async () => {
  const float = residualNetwork();
  const context = contextFor(float, randomImages(128, 3, 30));
  const plain = await quantizeMethod.apply(float, optionsFor({ weightBits: 3 }), context);
  const qat = { epochs: 1, batchSize: 32, select: 'last', learningRate: 50 };
  const { graph, report, diagnostics } = await quantizeMethod.apply(
    float,
    optionsFor({ weightBits: 3, method: 'qat', qat }),
    context,
  );
  const { training } = report as QuantizeMethodReport;
  expect(training).toMatchObject({ kept: false });
  expect(training!.after).toBeLessThan(training!.before);
  expect(training!.before).toBe(await agreement(plain.graph, float));
  expect(graph.initializers).toEqual(plain.graph.initializers);
  expect(diagnostics).toContainEqual(expect.objectContaining({ kind: 'training-undone', severity: 'warning' }));
});

test('epochs of training are judged by the network that would be written', async () => {
  const float = residualNetwork();
  const scored: Graph[] = [];
  const score = async (graph: Graph) => {
    scored.push(graph);
    return agreement(graph, float);
  };
  const context = { ...contextFor(float, randomImages(128, 3, 30)), score };
  const qat = { epochs: 2, batchSize: 32 };
  const { graph, report } = await quantizeMethod.apply(
    float,
    optionsFor({ weightBits: 3, method: 'qat', qat }),
    context,
  );
  // Rounding alone, the start and both epochs of the training, and what it gave.
  expect(scored).toHaveLength(5);
  for (const { initializers } of scored) expect(initializers.get('conv2_w_quantized')?.type).toBe('int8');
  const { before, after, kept } = (report as QuantizeMethodReport).training!;
  expect(await agreement(graph, float)).toBe(kept ? after : before);
  expect(await agreement(graph, float)).toBe(Math.max(before, after));
});

test('sensitivity falls with bits, and is exactly that of one layer alone', async () => {
  const float = residualNetwork();
  const { rows, floatScore, samples } = await quantizationSensitivity(
    float,
    contextFor(float),
    sensitivityOptions.parse({ bits: [2, 4, 8], samples: 48 }),
  );
  expect(samples).toBe(48);
  expect(floatScore).toBe(1);
  expect(rows.map(({ layer, bits }) => `${layer} ${bits}`)).toEqual(
    ['conv1', 'depthwise', 'conv2', 'dense'].flatMap((layer) => [2, 4, 8].map((bits) => `${layer} ${bits}`)),
  );
  for (const layer of ['conv1', 'depthwise', 'conv2', 'dense']) {
    const [two, four, eight] = rows.filter((row) => row.layer === layer);
    expect(two.kl).toBeGreaterThan(four.kl!);
    expect(four.kl).toBeGreaterThan(eight.kl!);
    expect(eight.sqnrDb).toBeGreaterThan(30);
    expect(eight.score).toBeGreaterThanOrEqual(two.score!);
  }
});

const row = (layer: string, bits: number, weights: number, kl: number): SensitivityRow => ({
  layer,
  op: 'Conv',
  bits,
  weights,
  kl,
  sqnrDb: 0,
  score: undefined,
  dropStandardError: undefined,
});

test('bits go first where they cost least', () => {
  const rows = [
    ...[row('small', 8, 10, 0), row('small', 4, 10, 0.1), row('small', 2, 10, 5)],
    ...[row('large', 8, 1000, 0), row('large', 4, 1000, 0.2), row('large', 2, 1000, 0.3)],
  ];
  const path = allocationPath(rows);
  expect(path.map((each) => [each.get('small'), each.get('large')])).toEqual(
    [
      [8, 8],
      [8, 4],
      [8, 2],
      [4, 2],
      [2, 2],
    ].filter((_, i) => i !== 1),
  );
  const averages = path.map((each) => averageBits(each, rows));
  expect(averages).toEqual([...averages].sort((a, b) => b - a));
});

test('mixed precision keeps to its goal', async () => {
  const float = residualNetwork();
  const apply = (mixed: object) => quantizeMethod.apply(float, optionsFor({ mixed }), contextFor(float));
  const average = (await apply({ averageBits: 4.5 })).report as {
    averageBits: number;
    layers: { weightBits: number }[];
  };
  expect(average.averageBits).toBeLessThanOrEqual(4.5);
  expect(new Set(average.layers.map(({ weightBits }) => weightBits)).size).toBeGreaterThan(1);
  const { graph, report } = await apply({ maxDrop: 0.1 });
  expect(await agreement(graph, float)).toBeGreaterThanOrEqual(0.9);
  expect((report as { averageBits: number }).averageBits).toBeLessThan(8);
  await expect(apply({ averageBits: 2.5, bits: [4, 8] })).rejects.toMatchObject({ code: 'E_OPTION_VALUE' });
});

test('refuses options that cannot be meant', () => {
  for (const given of [
    { mixed: {} },
    { mixed: { averageBits: 4, maxDrop: 0.1 } },
    { weightBits: 1 },
    { method: 'lsq' },
  ])
    expect(() => optionsFor(given)).toThrow(expect.objectContaining({ code: 'E_OPTION_VALUE' }));
  expect(() => optionsFor({ wieghtBits: 4 })).toThrow(
    expect.objectContaining({ details: expect.objectContaining({ nearest: 'weightBits' }) }),
  );
});
