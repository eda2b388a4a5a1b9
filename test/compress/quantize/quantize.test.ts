import { type QuantizeContext, type QuantizeProgress, quantize } from '../../../lib/compress/quantize/quantize';
import { Rng } from '../../../lib/core/rng';
import { datasetFromTensors } from '../../../lib/data/create-dataset';
import type { Graph } from '../../../lib/ir/graph';
import { tensorFrom, tensorOf, viewAs } from '../../../lib/ir/tensor';
import { verify } from '../../../lib/ir/verify';
import { createReferenceEvaluate, type ReferenceEvaluate } from '../../../lib/reference/evaluate';
import { imageNetwork, randomImages, randomTensor, residualNetwork } from './networks';
import { FLOAT_LAYERS, optimizedOps } from './optimized';

let reference: ReferenceEvaluate;
beforeAll(() => {
  reference = createReferenceEvaluate();
});
afterAll(() => reference.close());

const run = (graph: Graph, context: Partial<QuantizeContext> = {}) =>
  quantize(graph, { dataset: randomImages(64), evaluate: reference.evaluate, ...context });

const failing = (code: string, text: RegExp) => expect.objectContaining({ code, message: expect.stringMatching(text) });

/** How often each operator with data stands in a graph. */
const countOps = (graph: Graph, ...ops: string[]) => graph.nodes.filter(({ op }) => ops.includes(op)).length;

test('quantizes a residual network and reports what it did', async () => {
  const { graph, report } = await run(residualNetwork());
  expect(verify(graph)).toEqual([]);
  // x, three Relus, conv2, pooled, flat, dense.
  expect(countOps(graph, 'QuantizeLinear')).toBe(8);
  expect(graph.outputs).toEqual(['probabilities']);
  expect(report.layers.map(({ name }) => name)).toEqual(['conv1', 'depthwise', 'conv2', 'dense']);
  for (const { sqnrDb } of [...report.layers, ...report.outputs]) expect(sqnrDb).toBeGreaterThan(30);
  expect(report.layers.map(({ weightScales }) => weightScales)).toEqual([8, 8, 8, 5]);
  expect(report.samples).toEqual({ calibration: 64, measured: 16, judged: 64, heldOut: true });
  const relu = report.values.find(({ value }) => value === 'relu1')!;
  expect(relu).toMatchObject({ min: 0, low: 0, zeroPoint: 0, estimator: 'mse', sharedWith: [] });
  expect(relu.high).toBeGreaterThan(0.7 * relu.max);
  expect(relu.high).toBeLessThan(1.3 * relu.max);
  expect(report.values.find(({ value }) => value === 'pooled')!.sharedWith).toEqual(['flat']);
  expect(report.skipped.map(({ name }) => name)).toEqual(['probabilities']);
});

test('a few samples that are far louder do not hide that all others are noise', async () => {
  const loud = randomTensor(new Rng(6), [100, 3, 8, 8]);
  const values = viewAs(loud, 'float32').map((value, index) =>
    Math.floor(index / 192) % 12 === 0 ? 1e5 * value : value,
  );
  const net = imageNetwork();
  const { report } = await run(net.finish(net.conv('conv', 'x', 3, 4)), {
    dataset: datasetFromTensors('loud', new Map([['x', tensorOf('float32', loud.dims, values)]])),
  });
  const [{ sqnrDb, medianSqnrDb }] = report.outputs;
  expect(sqnrDb).toBeGreaterThan(20);
  expect(medianSqnrDb).toBeLessThan(5);
  expect(report.diagnostics).toContainEqual(
    expect.objectContaining({ kind: 'weak-output', where: 'output conv', message: expect.stringMatching(/^half of/) }),
  );
});

test('the result does not depend on how samples are batched', async () => {
  const single = imageNetwork(3, 1);
  const single1 = single.finish(single.apply('Relu', 'relu', single.conv('conv', 'x', 3, 4)));
  const many = imageNetwork(3, 'N');
  const many1 = many.finish(many.apply('Relu', 'relu', many.conv('conv', 'x', 3, 4)));
  const [a, b] = [await run(single1), await run(many1)];
  expect(a.report.values).toEqual(b.report.values);
});

test.each([6, 0.7, 3.3])('onnxruntime absorbs a Clip at %d into the integer layer', async (high) => {
  const net = imageNetwork();
  const bound = (value: number) => net.initializer(tensorFrom('float32', [], [value]), 'bound');
  const conv = net.conv('conv', 'x', 3, 4);
  const { graph } = await run(net.finish(net.node('Clip', [conv, bound(0), bound(high)], {}, { outputs: ['clip'] })), {
    dataset: datasetFromTensors('wide', new Map([['x', randomTensor(new Rng(4), [16, 3, 8, 8], 20)]])),
    options: { estimator: 'minmax' },
  });
  const ops = await optimizedOps(graph);
  expect(ops.filter((op) => FLOAT_LAYERS.includes(op) || op === 'Clip')).toEqual([]);
  expect(ops).toContain('QLinearConv');
});

test('a clamp that the shared range exceeds keeps its own pair, with the same scale on both sides', async () => {
  const net = imageNetwork();
  const relu = net.apply('Relu', 'relu', net.conv('a', 'x', 3, 2));
  const joined = net.node('Concat', [relu, net.conv('b', 'x', 3, 2)], { axis: 1 }, { outputs: ['joined'] });
  const { graph } = await run(net.finish(net.conv('last', joined, 4, 2)));
  const parameters = (value: string) =>
    ['scale', 'zero_point'].map(
      (part) => viewAs(graph.initializers.get(`${value}_${part}`)!, part === 'scale' ? 'float32' : 'uint8')[0],
    );
  expect(parameters('a')).toEqual(parameters('joined'));
  expect(parameters('relu')).toEqual(parameters('joined'));
  expect(graph.nodes.find(({ op }) => op === 'Relu')!.inputs[0]).toBe('a_dequantized');
});

test('estimators can be chosen per value', async () => {
  const options = {
    estimator: 'minmax',
    estimators: { 'relu*': 'percentile' },
    percentile: 90,
    floatShare: 0,
  } as const;
  const { report } = await run(residualNetwork(), { options });
  const chosen = Object.fromEntries(report.values.map((value) => [value.value, value]));
  expect(chosen.conv2).toMatchObject({ estimator: 'minmax', high: chosen.conv2.max, low: chosen.conv2.min });
  expect(chosen.relu1.estimator).toBe('percentile');
  expect(chosen.relu1.high).toBeLessThan(chosen.relu1.max * 0.9);
});

test('skipped nodes stay float and are named', async () => {
  const { graph, report } = await run(residualNetwork(), { options: { skip: { names: ['depth*'], types: ['Gemm'] } } });
  expect(report.layers.map(({ name }) => name)).toEqual(['conv1', 'conv2']);
  expect(report.skipped.map(({ name, reason }) => `${name}: ${reason}`)).toEqual([
    "depthwise: skipped by name 'depth*'",
    "relu2: its input 'depthwise' is float",
    'dense: skipped by type Gemm',
    'probabilities: Softmax stays float',
  ]);
  expect(graph.initializers.get('depthwise_w')!.type).toBe('float32');
});

test('constant calibration data gives valid scales', async () => {
  const zeros = datasetFromTensors(
    'zeros',
    new Map([['x', tensorFrom('float32', [8, 3, 8, 8], new Array(1536).fill(0))]]),
  );
  const { graph, report } = await run(residualNetwork(), { dataset: zeros });
  for (const { scale } of report.values) expect(scale).toBeGreaterThan(0);
  const output = await reference.evaluate(
    graph,
    new Map([['x', randomTensor(new Rng(1), [1, 3, 8, 8])]]),
    graph.outputs,
  );
  expect(viewAs(output.get('probabilities')!, 'float32').every(Number.isFinite)).toBe(true);
});

test('Gemm with alpha, beta and a scalar bias becomes an integer layer', async () => {
  const net = imageNetwork();
  const flat = net.apply('Flatten', 'flat', 'x');
  const w = net.initializer(randomTensor(new Rng(2), [192, 5], 0.1), 'w');
  const c = net.initializer(tensorFrom('float32', [1, 1], [0.5]), 'c');
  const float = (value: number) => ({ kind: 'float', value }) as const;
  const gemm = net.node('Gemm', [flat, w, c], { alpha: float(0.5), beta: float(2) }, { outputs: ['gemm'] });
  const { graph, report } = await run(net.finish(gemm));
  expect(report.layers[0].sqnrDb).toBeGreaterThan(35);
  const node = graph.nodes.find(({ op }) => op === 'Gemm')!;
  expect(node.attributes.has('alpha') || node.attributes.has('beta')).toBe(false);
  expect(node.inputs.every((input) => input.endsWith('_dequantized'))).toBe(true);
});

test('bias correction brings the mean output back', async () => {
  const net = imageNetwork();
  const first = net.apply('Relu', 'relu', net.conv('first', 'x', 3, 8));
  const float = net.finish(net.conv('last', first, 8, 6, { bias: false }));
  // Rounding all weights of a channel the same way shifts its mean: make the steps coarse.
  const initializers = new Map(float.initializers);
  const w = viewAs(float.initializers.get('last_w')!, 'float32');
  initializers.set(
    'last_w',
    tensorOf(
      'float32',
      [6, 8, 3, 3],
      w.map((x, i) => (i % 72 === 0 ? 30 : Math.abs(x) * 0.6 + 0.3)),
    ),
  );
  const graph = { ...float, initializers };
  const feeds = new Map([['x', randomTensor(new Rng(77), [64, 3, 8, 8])]]);
  const meanError = async (quantized: Graph) => {
    const [a, b] = [
      await reference.evaluate(graph, feeds, ['last']),
      await reference.evaluate(quantized, feeds, ['last']),
    ];
    const [x, q] = [viewAs(a.get('last')!, 'float32'), viewAs(b.get('last')!, 'float32')];
    const sums = new Float64Array(6);
    x.forEach((value, i) => {
      sums[Math.floor(i / 64) % 6] += (q[i] - value) / (x.length / 6);
    });
    return sums.reduce((total, error) => total + Math.abs(error), 0);
  };
  const plain = await run(graph, { options: { estimator: 'minmax', biasCorrection: false } });
  const corrected = await run(graph, { options: { estimator: 'minmax', biasCorrection: true } });
  expect(verify(corrected.graph)).toEqual([]);
  expect(await meanError(corrected.graph)).toBeLessThan((await meanError(plain.graph)) / 4);
});

describe('forms that a default session of onnxruntime takes', () => {
  const between = (form: (net: ReturnType<typeof imageNetwork>, value: string) => string) => {
    const net = imageNetwork();
    return net.finish(net.conv('b', form(net, net.apply('Relu', 'relu', net.conv('a', 'x', 3, 4))), 4, 4));
  };
  const int64s = (net: ReturnType<typeof imageNetwork>, ...numbers: number[]) =>
    net.initializer(tensorFrom('int64', [numbers.length], numbers), 'numbers');

  test.each([
    [
      [1, 1, 1, 1],
      [2, 3],
    ],
    [
      [1, -1, 1, 1],
      [-2, -1],
    ],
    [[2, 2], [3]],
  ])('pads %j of axes %j', async (pads, axes) => {
    const graph = between((net, value) => net.node('Pad', [value, int64s(net, ...pads), '', int64s(net, ...axes)]));
    const { graph: made, report } = await run(graph);
    expect(report.outputs[0].sqnrDb).toBeGreaterThan(30);
    expect(made.nodes.find(({ op }) => op === 'Pad')!.inputs).toHaveLength(2);
    expect(await optimizedOps(made)).toContain('Pad');
  });

  test('or a warning names what it refuses', async () => {
    const pooled = (dilations: number[]) =>
      between((net, value) => net.apply('AveragePool', 'pool', value, { kernel_shape: [2, 2], dilations }));
    const kindsOf = async (graph: Graph) => (await run(graph)).report.diagnostics.map(({ kind }) => kind);
    expect(await kindsOf(pooled([2, 2]))).toContain('refused-elsewhere');
    expect(await kindsOf(pooled([1, 1]))).not.toContain('refused-elsewhere');
  });
});

describe('repairs', () => {
  test('are on for biases, and kept only where held-out outputs gain', async () => {
    const { report } = await run(residualNetwork(), { dataset: randomImages(96) });
    const [{ what, tried, kept, sqnrDb }, ...others] = report.repairs;
    expect([what, tried, others]).toEqual(['biases', 4, []]);
    expect(kept.length === 0 || sqnrDb.after >= sqnrDb.before + 0.2).toBe(true);
    const without = await run(residualNetwork(), { dataset: randomImages(96), options: { biasCorrection: false } });
    expect(without.report.repairs).toEqual([]);
    expect(without.report.outputs[0].heldOutSqnrDb).toBeCloseTo(sqnrDb.before, 1);
    expect(report.outputs[0].heldOutSqnrDb).toBeCloseTo(sqnrDb.after, 1);
  });

  test('do not keep an equalization that gives a layer next to nothing', async () => {
    // Balanced weights leave the channels of the value between as unlike as the weights of the first layer were alike.
    const net = imageNetwork();
    const float = net.finish(net.conv('b', net.apply('Relu', 'relu', net.conv('a', 'x', 3, 8)), 8, 4));
    const spread = viewAs(float.initializers.get('b_w')!, 'float32').map((x, i) => x * 10 ** (Math.floor(i / 9) % 8));
    const graph = {
      ...float,
      initializers: new Map([...float.initializers, ['b_w', tensorOf('float32', [4, 8, 3, 3], spread)]]),
    };
    const options = { crossLayerEqualization: true, biasCorrection: false };
    const [plain, tried] = [await run(graph, { options: { biasCorrection: false } }), await run(graph, { options })];
    const [{ what, kept, sqnrDb }] = tried.report.repairs;
    expect([what, tried.report.equalized.length]).toEqual(['equalization', kept.length]);
    expect(sqnrDb.after).toBeGreaterThanOrEqual(sqnrDb.before);
    expect(tried.report.outputs[0].heldOutSqnrDb).toBeGreaterThan(plain.report.outputs[0].heldOutSqnrDb! - 0.01);
  });

  test.each<[dataset: number, options: QuantizeContext['options'], message: RegExp]>([
    [12, {}, /^no bias correction: 12 calibration samples are too few/],
    [
      15,
      { crossLayerEqualization: true, rounding: 'adaround' },
      /^no equalization, no AdaRound, no bias correction: 15/,
    ],
    [80, { heldOut: 4 }, /^no bias correction: heldOut is 4/],
  ])('are off with %d samples and %j, and that is said', async (count, options, message) => {
    const { report } = await run(residualNetwork(), { dataset: randomImages(count), options });
    expect(report.repairs).toEqual([]);
    const off = report.diagnostics.filter(({ kind }) => kind === 'repairs-off');
    expect(off).toMatchObject([{ message: expect.stringMatching(message) }]);
  });
});

describe('refuses', () => {
  const network = residualNetwork();

  test('samples that are NaN, naming the value', async () => {
    const data = randomImages(8);
    const poisoned = new Float32Array(8 * 192).fill(1);
    poisoned[700] = Number.NaN;
    const dataset = datasetFromTensors('bad', new Map([['x', tensorOf('float32', [8, 3, 8, 8], poisoned)]]));
    await expect(run(network, { dataset })).rejects.toEqual(failing('E_CALIBRATION', /'x'.*NaN/));
    await expect(run(network, { dataset: data.select([]) })).rejects.toEqual(failing('E_DATA_EMPTY', /memory/));
  });

  test('samples that do not fit', async () => {
    const wrong = (name: string, dims: number[]) =>
      datasetFromTensors('wrong', new Map([[name, randomTensor(new Rng(1), dims)]]));
    const mismatch = (text: RegExp) => failing('E_DATA_MISMATCH', text);
    await expect(run(network, { dataset: wrong('y', [4, 3, 8, 8]) })).rejects.toEqual(mismatch(/'x'.*'y'/));
    await expect(run(network, { dataset: wrong('x', [4, 3, 9, 8]) })).rejects.toEqual(mismatch(/\[3, 9, 8\]/));
  });

  test('outputs that are not finite, naming them', async () => {
    const net = imageNetwork();
    const huge = net.node('Mul', [
      net.conv('conv', 'x', 3, 2),
      net.initializer(tensorFrom('float32', [], [1e4]), 'factor'),
    ]);
    const graph = net.finish(net.apply('Exp', 'y', huge));
    await expect(run(graph)).rejects.toEqual(failing('E_CALIBRATION', /'y'.*of those measured/));
  });

  test('weights that are NaN, before any work', async () => {
    const initializers = new Map([
      ...network.initializers,
      ['conv1_b', tensorFrom('float32', [8], new Array(8).fill(Number.NaN))] as const,
    ]);
    const evaluate = () => Promise.reject(new Error('must not run'));
    await expect(run({ ...network, initializers }, { evaluate })).rejects.toEqual(
      failing('E_GRAPH_INVALID', /conv1_b/),
    );
  });

  test.each(['Conv', 'MaxPool'])(
    'a window of %s that does not fit, before onnxruntime ends the process',
    async (op) => {
      const net = imageNetwork();
      const value = net.conv('conv', 'x', 3, 2);
      const weights = op === 'Conv' ? [net.initializer(tensorFrom('float32', [2, 2, 99, 1], Array(396).fill(1)))] : [];
      const windowed = net.node(op, [value, ...weights], { kernel_shape: [99, 1] }, { name: 'window' });
      const ints = (number: number) => net.initializer(tensorFrom('int64', [1], [number]));
      const sliced = net.node('Slice', [windowed, ints(-1), ints(-9), ints(2), ints(-1)]);
      const evaluate = () => Promise.reject(new Error('must not run'));
      await expect(run(net.finish(sliced), { evaluate })).rejects.toEqual(
        failing('E_GRAPH_INVALID', /window: .*does not fit/),
      );
    },
  );

  test('what is quantized already, and what has no layers', async () => {
    const { graph } = await run(network);
    await expect(run(graph)).rejects.toEqual(failing('E_GRAPH_INVALID', /quantized already/));
    const net = imageNetwork();
    await expect(run(net.finish(net.apply('Relu', 'relu', 'x')))).rejects.toEqual(
      failing('E_GRAPH_INVALID', /no layer/),
    );
  });

  test('options that cannot be meant', async () => {
    const given = (options: object) => run(network, { options });
    await expect(given({ estimater: 'mse' })).rejects.toEqual(failing('E_OPTION_UNKNOWN', /estimater/));
    await expect(given({ estimater: 'mse' })).rejects.toHaveProperty('details.nearest', 'estimator');
    await expect(given({ skip: { name: [] } })).rejects.toHaveProperty('details.nearest', 'skip.names');
    for (const options of [
      { estimator: 'mean' },
      { estimators: { x: 'mean' } },
      { percentile: 50 },
      { samples: 0 },
      { heldOut: -1 },
      { biasCorrection: 'yes' },
      { skip: { names: 'conv1' } },
    ])
      await expect(given(options)).rejects.toEqual(failing('E_OPTION_VALUE', /expected/));
  });

  test('to go on when interrupted', async () => {
    const abort = new AbortController();
    const seen: QuantizeProgress[] = [];
    const onProgress = (progress: QuantizeProgress) => {
      seen.push(progress);
      if (progress.stage === 'measure') abort.abort();
    };
    await run(network, { onProgress });
    expect(seen).toEqual([
      { stage: 'calibrate', done: 64, total: 64 },
      { stage: 'correct', done: 16, total: 16 },
      { stage: 'measure', done: 16, total: 16 },
      { stage: 'judge', done: 32, total: 64 },
      { stage: 'judge', done: 64, total: 64 },
    ]);
    await expect(run(network, { signal: abort.signal })).rejects.toEqual(failing('E_INTERRUPTED', /calibration/));
  });
});

/** Three layers in a row; the first, of few multiply-accumulates, makes numbers of which one channel is far larger than the others. */
function spreadNetwork(): Graph {
  const net = imageNetwork();
  const thin = net.conv('thin', 'x', 3, 2);
  const loud = net.node('Mul', [thin, net.initializer(tensorFrom('float32', [1, 2, 1, 1], [3000, 1]), 'loudness')]);
  const quiet = net.conv('pick', loud, 2, 2);
  const wide = net.apply('Relu', 'wide', net.conv('big', net.apply('Tanh', 'squashed', quiet), 2, 32));
  return net.finish(net.conv('last', wide, 32, 4));
}

test('layers that outputs lose too much with stay float, in words, unless told otherwise', async () => {
  const float = spreadNetwork();
  const [kept, all] = [await run(float), await run(float, { options: { floatShare: 0 } })];
  const kindsOf = ({ report }: typeof kept) => report.diagnostics.map(({ kind }) => kind);
  expect(kindsOf(all)).not.toContain('left-in-float');
  expect(kindsOf(kept)).toContain('left-in-float');
  const reasons = kept.report.skipped.filter(({ op }) => op === 'Conv').map(({ reason }) => reason);
  expect(new Set(reasons)).toEqual(new Set(['the outputs lose too much with it on integers']));
  expect(kept.report.outputs[0].sqnrDb).toBeGreaterThan(all.report.outputs[0].sqnrDb + 3);
  expect(kept.report.layers.map(({ name }) => name)).toContain('last');
});
