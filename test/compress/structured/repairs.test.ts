import { outputJudge } from '../../../lib/compress/keep-if-better';
import type { MethodContext } from '../../../lib/compress/method';
import { pruneStructured } from '../../../lib/compress/structured/prune-structured';
import type { StructuredReport } from '../../../lib/compress/structured/structured-report';
import { parseOptions } from '../../../lib/core/parse-options';
import { Rng } from '../../../lib/core/rng';
import { datasetFromTensors } from '../../../lib/data/create-dataset';
import { GraphBuilder } from '../../../lib/ir/builder';
import type { Dataset } from '../../../lib/ir/dataset';
import type { Graph } from '../../../lib/ir/graph';
import { tensorOf } from '../../../lib/ir/tensor';
import { inferShapes } from '../../../lib/passes/infer-shapes';
import { createReferenceEvaluate, type ReferenceEvaluate } from '../../../lib/reference/evaluate';
import { reestimateBatchNorm } from '../../../lib/train/reestimate-batch-norm';

let reference: ReferenceEvaluate;
beforeAll(() => {
  reference = createReferenceEvaluate();
});
afterAll(() => reference.close());

interface Form {
  /** BatchNormalization on the input, as a fixed normaliser of pixels 0..255. */
  readonly normalizer?: boolean;
  /** A channel of the first convolution that is zero and that nothing reads: it can go without a trace. */
  readonly dead?: boolean;
  /** Running variance of one channel. */
  readonly variance?: number;
}

/** Two convolutions with batch norm of statistics that belong to the samples, and a classifier. */
async function net({ normalizer = false, dead = false, variance }: Form): Promise<Graph> {
  const rng = new Rng(5);
  const drawn = (dims: number[], scale: number) =>
    tensorOf(
      'float32',
      dims,
      Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => scale * rng.normal()),
    );
  const filled = (count: number, value: number) => tensorOf('float32', [count], new Float32Array(count).fill(value));
  const builder = new GraphBuilder({ name: 'net' });
  let value = builder.input('x', 'float32', ['N', 3, 8, 8]);
  const norm = (
    name: string,
    channels: number,
    at: { mean: number; variance: number },
    shift = drawn([channels], 0.2),
  ) => {
    const parts = [filled(channels, 1), shift, filled(channels, at.mean), filled(channels, at.variance)];
    const names = parts.map((part, index) => builder.initializer(part, `${name}.${index}`));
    return builder.node('BatchNormalization', [value, ...names], {}, { name });
  };
  if (normalizer) value = norm('normalizer', 3, { mean: 120, variance: 3600 }, filled(3, 0));
  for (const [name, from] of [
    ['first', 3],
    ['second', 8],
  ] as const) {
    value = builder.node(
      'Conv',
      [value, builder.initializer(drawn([8, from, 3, 3], 0.3), `${name}.weight`)],
      { pads: [1, 1, 1, 1] },
      { name },
    );
    value = builder.node('Relu', [norm(`${name}.norm`, 8, { mean: 0, variance: 1 })]);
  }
  value = builder.node('Flatten', [builder.node('GlobalAveragePool', [value])]);
  const classifier = builder.initializer(drawn([5, 8], 1), 'classifier.weight');
  builder.output(
    builder.node(
      'Gemm',
      [value, classifier, builder.initializer(drawn([5], 0.1), 'classifier.bias')],
      { transB: 1 },
      { name: 'classifier' },
    ),
    'float32',
    ['N', 5],
  );
  const { graph } = inferShapes(builder.build());
  const settled = normalizer
    ? graph
    : await reestimateBatchNorm(
        graph,
        samples(256, normalizer),
        { batchSize: 64, batches: 4, seed: 1 },
        reference.evaluate,
      );
  const initializers = new Map(settled.initializers);
  const change = (name: string, with_: (data: Float32Array) => void) => {
    const data = new Float32Array(new Float32Array(initializers.get(name)!.bytes.slice().buffer));
    with_(data);
    initializers.set(name, tensorOf('float32', initializers.get(name)!.dims, data));
  };
  if (dead) {
    change('first.weight', (data) => data.fill(0, 0, 27));
    for (const part of [0, 1, 2]) change(`first.norm.${part}`, (data) => data.fill(0, 0, 1));
    for (let filter = 0; filter < 8; filter++)
      change('second.weight', (data) => data.fill(0, 72 * filter, 72 * filter + 9));
  }
  if (variance !== undefined) change('first.norm.3', (data) => data.fill(variance, 1, 2));
  return { ...settled, initializers };
}

function samples(count: number, pixels: boolean, seed = 3, brightness = 1): Dataset {
  const rng = new Rng(seed);
  const data = Float32Array.from(
    { length: count * 192 },
    () => brightness * (pixels ? 255 * rng.uniform() : rng.normal()),
  );
  return datasetFromTensors('drawn', new Map([['x', tensorOf('float32', [count, 3, 8, 8], data)]]));
}

interface Pruned {
  /** Of outputs against the whole network, on samples that nothing else has seen. */
  readonly sqnrDb: number;
  readonly report: StructuredReport;
  readonly notices: readonly string[];
}

async function prune(graph: Graph, calibration: Dataset, pixels: boolean, options: object): Promise<Pruned> {
  const context: MethodContext = {
    data: { training: undefined, calibration, validation: calibration },
    evaluate: reference.evaluate,
    score: async () => 1,
    teacher: graph,
    seed: 1,
    keep: new Set(),
    target: { isa: 'ref' },
  };
  const parsed = parseOptions(pruneStructured.options, { criterion: 'l2', roundTo: 1, macs: 1, ...options });
  const { graph: pruned, report, diagnostics = [] } = await pruneStructured.apply(graph, parsed, context);
  const judge = outputJudge(graph, samples(128, pixels, 99), reference)!;
  return {
    sqnrDb: await judge(pruned),
    report: report as StructuredReport,
    notices: diagnostics.map(({ message }) => message),
  };
}

describe('repairs of structured pruning do no harm', () => {
  const DEAD = { amounts: { first: 0.125 } };
  test.each<
    [what: string, form: Form, options: object, calibration: { count: number; brightness?: number }, leastDb: number]
  >([
    ['a dead channel behind a fixed normaliser', { normalizer: true, dead: true }, DEAD, { count: 200 }, 100],
    [
      'a dead channel, dark calibration pictures',
      { normalizer: true, dead: true },
      DEAD,
      { count: 200, brightness: 0.3 },
      100,
    ],
    ['a dead channel, few samples', { dead: true }, DEAD, { count: 6 }, 100],
    ['a variance of 1e-4', { variance: 1e-4 }, { amounts: { first: 0.25 } }, { count: 128 }, -5],
    ['a variance of 1e6', { variance: 1e6 }, { amounts: { first: 0.25 } }, { count: 128 }, -5],
    ['an ordinary network', {}, { amounts: { first: 0.25 } }, { count: 128 }, 5],
  ])('%s', async (_, form, options, { count, brightness }, leastDb) => {
    const pixels = form.normalizer ?? false;
    const graph = await net(form);
    const calibration = samples(count, pixels, 3, brightness);
    const plain = await prune(graph, calibration, pixels, { ...options, reconstruct: false });
    const repaired = await prune(graph, calibration, pixels, options);
    expect(plain.report.macs.share).toBeLessThan(1);
    // Other samples than those that decided: a little less than what they promised.
    expect(repaired.sqnrDb).toBeGreaterThan(Math.max(leastDb, Math.min(plain.sqnrDb, 120) - 0.5));
    for (const {
      sqnrDb: { before, after },
    } of repaired.report.repairs)
      expect(after).toBeGreaterThanOrEqual(before);
  });

  test('where they do good they are kept', async () => {
    const graph = await net({});
    const [plain, repaired] = [false, true].map((reconstruct) =>
      prune(graph, samples(200, false), false, { amounts: { first: 0.25, second: 0.25 }, reconstruct }),
    );
    expect((await repaired).sqnrDb).toBeGreaterThan((await plain).sqnrDb + 2);
    expect((await repaired).report.repairs[0].kept.length).toBeGreaterThan(0);
  });

  test('with too few samples they are off, and it is said', async () => {
    const { report, notices } = await prune(await net({}), samples(63, false), false, { amounts: { first: 0.25 } });
    expect(report.repairs).toEqual([]);
    expect(notices).toEqual([expect.stringContaining('63 calibration samples are too few')]);
    const asked = await prune(await net({}), samples(63, false), false, {
      amounts: { first: 0.25 },
      reconstruct: false,
    });
    expect(asked.notices).toEqual([]);
  });
});
