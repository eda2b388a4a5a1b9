import type { Checkpoints, MethodContext } from '../../../lib/compress/method';
import { type PruneReport, prune } from '../../../lib/compress/prune/prune';
import { type PruneOptions, pruneOptions } from '../../../lib/compress/prune/prune-options';
import { CRITERIA, type Criterion, type CriterionRow, rowOf } from '../../../lib/compress/prune/weight-criteria';
import { zeroMasks } from '../../../lib/compress/prune/zero-masks';
import { recoveryOptions } from '../../../lib/compress/recover';
import { parseOptions } from '../../../lib/core/parse-options';
import { Rng } from '../../../lib/core/rng';
import { datasetFromTensors } from '../../../lib/data/create-dataset';
import { GraphBuilder } from '../../../lib/ir/builder';
import type { Dataset } from '../../../lib/ir/dataset';
import type { Graph } from '../../../lib/ir/graph';
import { type Tensor, tensorFrom, tensorOf, viewAs } from '../../../lib/ir/tensor';
import { bindShapes } from '../../../lib/passes/infer-shapes';
import { createReferenceEvaluate } from '../../../lib/reference/evaluate';
import { heNormal, zeros } from '../../../lib/train/initialise';
import type { TrainState } from '../../../lib/train/train-options';

/** Correlated inputs of very different sizes, with the class that a fixed random rule gives them. */
function samples(count: number, labelled = true): Dataset {
  const rng = new Rng(3);
  const rule = Array.from({ length: 16 }, () => rng.normal());
  const data = new Float32Array(count * 16);
  const labels = new Int32Array(count);
  for (let n = 0; n < count; n++) {
    const common = rng.normal();
    for (let i = 0; i < 16; i++) data[n * 16 + i] = (0.5 * common + rng.normal()) * (i % 4 === 0 ? 3 : 0.3);
    labels[n] = Number(rule.reduce((sum, r, i) => sum + r * data[n * 16 + i], 0) > 0);
  }
  const x = tensorOf('float32', [count, 1, 4, 4], data);
  return datasetFromTensors('drawn', new Map([['x', x]]), labelled ? labels : undefined);
}

/** Conv, Relu, Gemm, Relu, MatMul. */
function network(): Graph {
  const rng = new Rng(1);
  const builder = new GraphBuilder({ name: 'net' });
  const x = builder.input('x', 'float32', ['N', 1, 4, 4]);
  const conv = builder.initializer(heNormal(rng, [8, 1, 3, 3]), 'conv.w');
  const shift = builder.initializer(zeros([8]), 'conv.b');
  const maps = builder.node('Relu', [
    builder.node('Conv', [x, conv, shift], { pads: [1, 1, 1, 1] }, { outputs: ['conv'] }),
  ]);
  const flat = builder.node('Flatten', [maps]);
  const dense = builder.initializer(heNormal(rng, [16, 128]), 'dense.w');
  const bias = builder.initializer(zeros([16]), 'dense.b');
  const hidden = builder.node('Relu', [
    builder.node('Gemm', [flat, dense, bias], { transB: 1 }, { outputs: ['dense'] }),
  ]);
  const head = builder.initializer(heNormal(rng, [16, 2], 'in-out'), 'head.w');
  builder.output(builder.node('MatMul', [hidden, head], {}, { outputs: ['head'] }), 'float32', ['N', 2]);
  return builder.build();
}

const WEIGHTS = ['conv.w', 'dense.w', 'head.w'];
const TOTAL = 72 + 2048 + 32;

const reference = createReferenceEvaluate();
afterAll(() => reference.close());

function contextOf(given: Partial<MethodContext> = {}): MethodContext {
  const all = samples(320);
  return {
    data: { training: all, calibration: samples(64, false), validation: all },
    evaluate: reference.evaluate,
    score: async () => 0,
    teacher: network(),
    seed: 1,
    keep: new Set(),
    target: { isa: 'ref' },
    ...given,
  };
}

type Given = Record<string, unknown>;
const options = (given: Given): PruneOptions => parseOptions(pruneOptions, given);
const apply = (given: Given, graph = network(), context = contextOf()) => prune.apply(graph, options(given), context);

const weightsOf = (graph: Graph, name: string) => viewAs(graph.initializers.get(name)!, 'float32');
const zerosOf = (graph: Graph, name: string) => weightsOf(graph, name).filter((weight) => weight === 0).length;
const allZeros = (graph: Graph) => WEIGHTS.reduce((sum, name) => sum + zerosOf(graph, name), 0);
const training = (epochs: number, more: Given = {}) => ({
  training: { epochs, batchSize: 32, learningRate: 0.05, distillation: { mode: 'off' }, ...more },
});

/** Mean squared difference of the outputs of two networks on the calibration samples. */
async function outputError(a: Graph, b: Graph): Promise<number> {
  const { calibration } = contextOf().data;
  let sum = 0;
  for await (const { inputs } of calibration.batches({ size: 64 })) {
    const [ya, yb] = await Promise.all(
      [a, b].map(async (graph) => viewAs((await reference.evaluate(graph, inputs, ['head'])).get('head')!, 'float32')),
    );
    ya.forEach((value, index) => {
      sum += (value - yb[index]) ** 2;
    });
  }
  return sum;
}

const NAMES = Object.keys(CRITERIA) as Criterion[];
const ONE_SHOT = NAMES.filter((name) => rowOf(name).needs !== 'training');
const needing = (needs: CriterionRow['needs']) => NAMES.filter((name) => rowOf(name).needs === needs);

describe.each(ONE_SHOT)('%s at once', (criterion) => {
  test('makes the asked share zero and says so', async () => {
    const { graph, decisions, report } = await apply({ criterion, sparsity: 0.75 });
    const { zeros: counted, weights, sparsity, layers } = report as PruneReport;
    expect(weights).toBe(TOTAL);
    expect(counted).toBe(allZeros(graph));
    // Wanda rounds down in every unit, the others once, in every layer or over all.
    expect(sparsity).toBeLessThanOrEqual(0.75);
    expect(sparsity).toBeGreaterThan(rowOf(criterion).competes === 'unit' ? 0.73 : 0.749);
    expect(decisions.map(({ layer }) => layer)).toEqual(['conv', 'dense', 'head']);
    for (const [index, { treatment, damage }] of decisions.entries()) {
      const { weights: count, zeros: gone } = layers[index];
      expect(treatment).toBe(
        `pruned to ${((100 * (count - gone)) / count).toFixed(1)} % of ${count.toLocaleString('en')} weights`,
      );
      expect(damage).toBeGreaterThanOrEqual(0);
      expect(damage).toBeLessThanOrEqual(1);
    }
    for (const name of ['conv.b', 'dense.b']) expect(weightsOf(graph, name)).toEqual(weightsOf(network(), name));
  });

  test('gives the same bytes again', async () => {
    const [a, b] = [await apply({ criterion }), await apply({ criterion })];
    for (const name of WEIGHTS) expect(weightsOf(a.graph, name)).toEqual(weightsOf(b.graph, name));
  });

  test('zeros on entry stay and count', async () => {
    const first = await apply({ criterion, sparsity: 0.5 });
    const second = await apply({ criterion, sparsity: 0.75 }, first.graph);
    for (const name of WEIGHTS) {
      const [before, after] = [weightsOf(first.graph, name), weightsOf(second.graph, name)];
      before.forEach((weight, index) => {
        if (weight === 0) expect(after[index]).toBe(0);
      });
    }
    expect((second.report as PruneReport).sparsity).toBeLessThanOrEqual(0.75);
  });

  test('2:4 along the input channels', async () => {
    const { graph } = await apply({ criterion, pattern: '2:4' });
    // The convolution has one input channel: nothing to choose.
    expect(zerosOf(graph, 'conv.w')).toBe(0);
    const dense = weightsOf(graph, 'dense.w');
    for (let start = 0; start < dense.length; start += 4)
      expect(dense.subarray(start, start + 4).filter((weight) => weight === 0)).toHaveLength(2);
    const head = weightsOf(graph, 'head.w');
    for (let unit = 0; unit < 2; unit++)
      for (let start = 0; start < 16; start += 4)
        expect([0, 1, 2, 3].filter((k) => head[(start + k) * 2 + unit] === 0)).toHaveLength(2);
  });
});

test('data tells better than size: Wanda beats magnitude, SparseGPT both, random loses', async () => {
  const error = async (criterion: string) =>
    outputError(network(), (await apply({ criterion, sparsity: 0.5, scope: 'local' })).graph);
  const [random, magnitude, wanda, sparsegpt] = [
    await error('random'),
    await error('magnitude'),
    await error('wanda'),
    await error('sparsegpt'),
  ];
  expect(magnitude).toBeLessThan(random);
  expect(wanda).toBeLessThan(magnitude);
  expect(sparsegpt).toBeLessThan(wanda);
});

test('SNIP and Taylor scores are those of the reported gradients: less loss than random', async () => {
  const loss = async (criterion: string) => outputError(network(), (await apply({ criterion, sparsity: 0.5 })).graph);
  const random = await loss('random');
  expect(await loss('snip')).toBeLessThan(random);
  expect(await loss('taylor')).toBeLessThan(random);
});

test.each(['snip', 'taylor'])('%s: a fixed batch chooses as the free one does', async (criterion) => {
  const [bound, free] = await Promise.all(
    [bindShapes(network(), { N: 6 }), network()].map((graph) => apply({ criterion, sparsity: 0.5 }, graph)),
  );
  for (const name of WEIGHTS) expect(weightsOf(bound.graph, name)).toEqual(weightsOf(free.graph, name));
});

test('scopes, own sparsities and thresholds', async () => {
  const local = await apply({ scope: 'local', sparsity: 0.5 });
  expect(WEIGHTS.map((name) => zerosOf(local.graph, name))).toEqual([36, 1024, 16]);
  const own = await apply({ sparsity: 0.5, sparsities: { dense: 0.25, 'he*': 0 } });
  expect(WEIGHTS.map((name) => zerosOf(own.graph, name))).toEqual([36, 512, 0]);
  const threshold = await apply({ scope: 'threshold', threshold: 0.2 });
  for (const name of WEIGHTS) {
    const small = weightsOf(network(), name).filter((weight) => Math.abs(weight) < 0.2).length;
    expect(zerosOf(threshold.graph, name)).toBe(small);
  }
  // However high the threshold: a tenth of every layer stays, unless none is asked for, and that is warned of.
  const all = await apply({ scope: 'threshold', threshold: 1e6 });
  expect(WEIGHTS.map((name) => zerosOf(all.graph, name))).toEqual([64, 1843, 28]);
  expect(all.diagnostics).toEqual([]);
  const none = await apply({ scope: 'threshold', threshold: 1e6, minKeep: 0, skip: { names: ['dense', 'head'] } });
  expect(none.diagnostics).toMatchObject([{ kind: 'emptied-layer', where: 'conv' }]);
  // The weights of the largest layer are the smallest by far; the floor keeps some of them.
  const half = await apply({ sparsity: 0.5 });
  expect(WEIGHTS.every((name) => zerosOf(half.graph, name) <= 0.9 * weightsOf(network(), name).length)).toBe(true);
  const floor = await apply({ sparsity: 0.95, minKeep: 0.9 });
  expect(2048 - zerosOf(floor.graph, 'dense.w')).toBeGreaterThanOrEqual(Math.ceil(0.9 * 0.05 * 2048));
});

test('skipped, kept and shared weights stay', async () => {
  const { graph, decisions } = await apply({ skip: { names: ['conv'], types: ['MatMul'] } });
  expect([zerosOf(graph, 'conv.w'), zerosOf(graph, 'head.w')]).toEqual([0, 0]);
  expect(decisions.map(({ treatment, reason }) => `${treatment}: ${reason}`)).toEqual([
    "left alone: skipped by name 'conv'",
    expect.stringMatching(/^pruned to 50.0 %/),
    'left alone: skipped by type MatMul',
  ]);
  const kept = await apply({}, network(), contextOf({ keep: new Set(['dense']) }));
  expect(zerosOf(kept.graph, 'dense.w')).toBe(0);

  const base = network();
  const twin = { ...base.nodes.find(({ name }) => name === 'dense')!, name: 'twin', outputs: ['twin'] };
  const shared = { ...base, nodes: [...base.nodes, twin], outputs: [...base.outputs, 'twin'] };
  const held = await apply({}, shared, contextOf({ keep: new Set(['twin']) }));
  expect(zerosOf(held.graph, 'dense.w')).toBe(0);
  expect(held.decisions.find(({ layer }) => layer === 'dense')!.reason).toMatch(/shares its weights with twin/);
  for (const criterion of ['wanda', 'sparsegpt'])
    expect(zerosOf((await apply({ criterion }, shared)).graph, 'dense.w')).toBe(1024);
});

describe('while training', () => {
  const schedule = (given: Given = {}) => ({ begin_step: 2, end_step: 20, frequency: 3, ...given });

  test.each<[string, Given]>([
    ['polynomial', {}],
    ['constant', { schedule: schedule({ kind: 'constant' }) }],
    ['iterative', { schedule: schedule({ kind: 'iterative' }) }],
    ['one-shot', { schedule: { kind: 'one-shot' } }],
    ...NAMES.map((criterion): [string, Given] => [criterion, { criterion }]),
    ['splicing', { splicing: true }],
    ['2:4', { pattern: '2:4' }],
    ['sparsegpt in rounds before', { criterion: 'sparsegpt', schedule: { kind: 'iterative' } }],
  ])('%s: reaches its share, the same bytes every time', async (_, given) => {
    const run = () =>
      apply({ sparsity: 0.8, ...(given.criterion ? {} : { schedule: schedule() }), ...given, ...training(3) });
    const { graph, report } = await run();
    const expected = given.pattern ? TOTAL : 0.8 * TOTAL;
    if (given.pattern) expect(zerosOf(graph, 'dense.w')).toBe(1024);
    else {
      // Rounded down in every layer, or in every unit.
      const slack = rowOf((given.criterion ?? 'magnitude') as Criterion).competes === 'unit' ? 8 + 16 + 2 : 3;
      expect(Math.abs(allZeros(graph) - expected)).toBeLessThanOrEqual(slack);
    }
    expect((report as PruneReport).zeros).toBe(allZeros(graph));
    const again = await run();
    for (const name of WEIGHTS) expect(weightsOf(graph, name)).toEqual(weightsOf(again.graph, name));
    // It was trained, too.
    expect(weightsOf(graph, 'conv.b').some((value) => value !== 0)).toBe(true);
  });

  test('what was zero on entry stays zero, whatever may come back', async () => {
    const first = await apply({ sparsity: 0.5 });
    for (const given of [{}, { splicing: true }, { criterion: 'movement' }]) {
      const { graph } = await apply({ sparsity: 0.7, schedule: schedule(), ...given, ...training(3) }, first.graph);
      for (const name of WEIGHTS) {
        const after = weightsOf(graph, name);
        weightsOf(first.graph, name).forEach((weight, index) => {
          if (weight === 0) expect(after[index]).toBe(0);
        });
      }
    }
  });
});

test.each<Given>([{}, { splicing: true }, { criterion: 'movement' }])(
  'a killed run goes on to the same bytes: %j',
  async (given) => {
    const saved = new Map<string, TrainState>();
    const run = (load: (key: string) => TrainState | undefined) => {
      const checkpoints: Checkpoints = {
        everySteps: 7,
        load: async (key) => load(key),
        save: async (key, state) => {
          // The first state is what a run killed before step 14 has left.
          if (!saved.has(key)) saved.set(key, state);
        },
      };
      const schedule = { begin_step: 2, end_step: 20, frequency: 3 };
      return apply({ sparsity: 0.8, schedule, ...given, ...training(3) }, network(), contextOf({ checkpoints }));
    };
    const whole = await run(() => undefined);
    expect(saved.get('prune')!.step).toBe(7);
    const resumed = await run((key) => saved.get(key));
    for (const name of WEIGHTS) expect(weightsOf(resumed.graph, name)).toEqual(weightsOf(whole.graph, name));
  },
);

test('masks of zeros', () => {
  const base = network();
  const initializers = new Map(base.initializers);
  initializers.set(
    'head.w',
    tensorFrom(
      'float32',
      [16, 2],
      Array.from({ length: 32 }, (_, index) => index % 3),
    ),
  );
  const graph: Graph = { ...base, initializers };
  const expected: Tensor = tensorFrom(
    'float32',
    [16, 2],
    Array.from({ length: 32 }, (_, index) => Number(index % 3 > 0)),
  );
  // Biases are zero without having been pruned.
  expect([...zeroMasks(graph).keys()]).toEqual(['head.w']);
  expect(viewAs(zeroMasks(graph).get('head.w')!, 'float32')).toEqual(viewAs(expected, 'float32'));
  expect([...zeroMasks(graph, ['conv.b', 'dense.w']).keys()]).toEqual(['conv.b']);
});

describe('bad input', () => {
  test.each<[Given, RegExp]>([
    [{ sparsity: 1 }, /option sparsity: expected a share of zeros from 0 to below 1, found '1'/],
    [{ sparsity: -0.1 }, /option sparsity/],
    [{ sparsities: { conv: 1.5 } }, /option sparsities.conv/],
    [{ sparcity: 0.5 }, /unknown option 'sparcity'.*\n?.*/],
    [{ criterion: 'l1' }, /option criterion/],
    [{ pattern: '4:2' }, /option pattern: expected N:M with N below M/],
    [{ pattern: 'block' }, /option pattern: expected unstructured, or N:M/],
    [{ scope: 'threshold' }, /option threshold: expected the worth/],
    [{ threshold: 0.1 }, /option scope: expected 'threshold'/],
    ...NAMES.filter((name) => rowOf(name).competes !== 'network').map((criterion): [Given, RegExp] => [
      { criterion, scope: 'global' },
      new RegExp(`option scope: expected 'local' \\(${criterion}`),
    ]),
    ...needing('training').map((criterion): [Given, RegExp] => [
      { criterion },
      new RegExp(`option training.epochs: expected 1 or more \\(${criterion}`),
    ]),
    [{ criterion: 'snip', schedule: { kind: 'polynomial' }, training: { epochs: 1 } }, /option schedule.kind/],
    [
      { schedule: { kind: 'polynomial' } },
      /option schedule.kind: expected 'one-shot' or 'iterative' \(training.epochs is 0\)/,
    ],
    [{ schedule: { initial_sparsity: 0.6 } }, /option schedule.initial_sparsity: expected at most/],
    [{ splicing: true }, /option splicing: expected false/],
    [{ training: { epochs: 1, lerningRate: 1 } }, /unknown option 'training.lerningRate'/],
  ])('%j', (given, message) => {
    expect(() => options(given)).toThrow(message);
  });

  const unlabelled = () => contextOf({ data: { ...contextOf().data, training: samples(64, false) } });
  const without = () => contextOf({ data: { ...contextOf().data, training: undefined } });

  test.each(needing('labels'))('%s without labels', async (criterion) => {
    const message = new RegExp(`expected labelled training samples for the criterion ${criterion} \\(wanda`);
    await expect(apply({ criterion }, network(), unlabelled())).rejects.toThrow(message);
    await expect(apply({ criterion }, network(), without())).rejects.toThrow(/found no training samples/);
  });

  test('a schedule without training samples', async () => {
    const given = { criterion: 'movement', ...training(1) };
    await expect(apply(given, network(), without())).rejects.toThrow(
      /training samples for a polynomial schedule of the criterion movement/,
    );
  });

  test('layers that cannot be pruned', async () => {
    await expect(apply({ sparsities: { relu: 0.5 } })).rejects.toThrow(
      /sparsities: expected names of layers with weights.*found 'relu, a Relu/,
    );
    await expect(apply({ sparsities: { dence: 0.5 } })).rejects.toThrow(/such as 'dense'/);
    await expect(apply({ skip: { names: ['convolution*'] } })).rejects.toThrow(/skip.names/);
  });

  test('nothing to prune', async () => {
    await expect(apply({ skip: { names: ['*'] } })).rejects.toThrow(
      /no layer can be pruned \(conv: skipped by name '\*'/,
    );
  });

  test('a quantized model', async () => {
    const builder = new GraphBuilder();
    const x = builder.input('x', 'float32', [1]);
    const scale = builder.initializer(tensorFrom('float32', [], [1]));
    const q = builder.node('QuantizeLinear', [x, scale]);
    builder.output(builder.node('DequantizeLinear', [q, scale]));
    await expect(apply({}, builder.build())).rejects.toThrow(/already; expected the float model/);
  });
});

test('every option has a description', () => {
  for (const schema of [pruneOptions, recoveryOptions]) {
    const walk = (shape: Record<string, { description?: string }>) => {
      for (const [key, value] of Object.entries(shape))
        expect([key, value.description !== undefined]).toEqual([key, true]);
    };
    walk(schema.shape as never);
  }
});
