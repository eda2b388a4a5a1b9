import { Rng } from '../../lib/core/rng';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { type Tensor, tensorFrom, toNumbers, viewAs } from '../../lib/ir/tensor';
import { verify } from '../../lib/ir/verify';
import { createReferenceEvaluate, type ReferenceEvaluate } from '../../lib/reference/evaluate';
import { crossEntropy } from '../../lib/train/losses';
import { reestimateBatchNorm } from '../../lib/train/reestimate-batch-norm';
import { sgd } from '../../lib/train/sgd';
import { buildStep } from '../../lib/train/step';
import { train } from '../../lib/train/train';
import { trainableParameters } from '../../lib/train/trainable';
import { buildNormalized, buildSmall, clusters } from './small-network';

let reference: ReferenceEvaluate;
beforeAll(() => {
  reference = createReferenceEvaluate();
});
afterAll(() => reference.close());

/** BatchNormalization directly on the input, so that its statistics can be counted by hand. */
function buildNormalizedInput(): Graph {
  const builder = new GraphBuilder();
  const x = builder.input('x', 'float32', ['N', 6]);
  const constant = (name: string, value: number) =>
    builder.initializer(tensorFrom('float32', [6], new Array<number>(6).fill(value)), name);
  const places = [constant('scale', 1), constant('shift', 0), constant('mean', 2), constant('variance', 3)];
  const normal = builder.node('BatchNormalization', [x, ...places], { momentum: { kind: 'float', value: 0.75 } });
  const weight = builder.initializer(
    tensorFrom(
      'float32',
      [6, 3],
      Array.from({ length: 18 }, (_, i) => Math.sin(i)),
    ),
    'w',
  );
  builder.output(builder.node('MatMul', [normal, weight]), 'float32', ['N', 3]);
  return builder.build();
}

/** Mean and population variance of the six columns. */
function columnStatistics(x: Tensor): { mean: number[]; variance: number[] } {
  const values = viewAs(x, 'float32');
  const column = (c: number) => Array.from({ length: x.dims[0] }, (_, row) => values[row * 6 + c]);
  const mean = Array.from({ length: 6 }, (_, c) => column(c).reduce((sum, value) => sum + value, 0) / x.dims[0]);
  const variance = mean.map((m, c) => column(c).reduce((sum, value) => sum + (value - m) ** 2, 0) / x.dims[0]);
  return { mean, variance };
}

const valuesOf = (graph: Graph, name: string) => toNumbers(graph.initializers.get(name)!);
const OPTIONS = { epochs: 2, batchSize: 16, learningRate: 0.05, seed: 5 };

test('running statistics follow the batches with the momentum of the node; frozen ones stay', async () => {
  const dataset = clusters(40);
  const trained = await train(buildNormalizedInput(), dataset, OPTIONS, reference.evaluate);
  let [mean, variance] = [new Array<number>(6).fill(2), new Array<number>(6).fill(3)];
  const orders = new Rng(OPTIONS.seed);
  for (let epoch = 0; epoch < 2; epoch++)
    for await (const { inputs, count } of dataset.batches({ size: 16, seed: orders.nextUint32() })) {
      if (count < 16) continue;
      const batch = columnStatistics(inputs.get('x')!);
      mean = mean.map((value, c) => 0.75 * value + 0.25 * batch.mean[c]);
      variance = variance.map((value, c) => 0.75 * value + 0.25 * batch.variance[c]);
    }
  valuesOf(trained, 'mean').forEach((value, c) => {
    expect(value).toBeCloseTo(mean[c], 5);
  });
  valuesOf(trained, 'variance').forEach((value, c) => {
    expect(value).toBeCloseTo(variance[c], 5);
  });
  expect(valuesOf(trained, 'scale')).not.toEqual(valuesOf(buildNormalizedInput(), 'scale'));
  expect(trained.nodes).toEqual(buildNormalizedInput().nodes);
  const frozen = await train(buildNormalizedInput(), dataset, { ...OPTIONS, batchNorm: 'frozen' }, reference.evaluate);
  expect(valuesOf(frozen, 'mean')).toEqual(valuesOf(buildNormalizedInput(), 'mean'));
});

test('nodes that share their constants get their own, and the network learns', async () => {
  const graph = buildNormalized();
  const options = { ...OPTIONS, epochs: 8, learningRate: 0.1 };
  const losses: number[] = [];
  const trained = await train(
    graph,
    clusters(96),
    { ...options, onProgress: ({ loss }) => losses.push(loss) },
    reference.evaluate,
  );
  expect(verify(trained)).toEqual([]);
  const norms = trained.nodes.filter(({ op }) => op === 'BatchNormalization');
  expect(new Set(norms.flatMap(({ inputs }) => inputs.slice(1))).size).toBe(8);
  expect(losses.slice(-6).every((loss) => loss < losses[0] / 3)).toBe(true);
  const inferred = await reference.evaluate(
    trained,
    new Map([['x', tensorFrom('float32', [1, 6], [1, 0, 0, 0, 0, 0])]]),
    trained.outputs,
  );
  expect(toNumbers(inferred.get(trained.outputs[0])!).reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
});

test('a step in training mode is a valid graph that leaves the original nodes alone', () => {
  const graph = buildNormalized();
  const step = buildStep(graph, {
    batchSize: 4,
    trainable: trainableParameters(graph),
    loss: crossEntropy(),
    optimizer: sgd(),
  });
  if (!('graph' in step)) throw new Error(JSON.stringify(step));
  expect(verify(step.graph)).toEqual([]);
  expect(step.dropout.map(({ dims, ratio }) => [dims, ratio])).toEqual([[[4, 12], 0.25]]);
});

test('statistics are estimated anew as plain averages over batches', async () => {
  const dataset = clusters(40);
  const options = { batchSize: 8, batches: 3, seed: 2 };
  const found = await reestimateBatchNorm(buildNormalizedInput(), dataset, options, reference.evaluate);
  const seen: ReturnType<typeof columnStatistics>[] = [];
  for await (const { inputs } of dataset.batches({ size: 8, seed: 2 })) seen.push(columnStatistics(inputs.get('x')!));
  for (const name of ['mean', 'variance'] as const)
    valuesOf(found, name).forEach((value, c) => {
      expect(value).toBeCloseTo((seen[0][name][c] + seen[1][name][c] + seen[2][name][c]) / 3, 5);
    });
  expect(valuesOf(found, 'scale')).toEqual(valuesOf(buildNormalizedInput(), 'scale'));
  const two = await reestimateBatchNorm(buildNormalized(), dataset, options, reference.evaluate);
  expect(verify(two)).toEqual([]);
  const few = reestimateBatchNorm(buildNormalizedInput(), dataset, { ...options, batchSize: 64 }, reference.evaluate);
  await expect(few).rejects.toMatchObject({ code: 'E_DATA_MISMATCH' });
});

test('a network without statistics is left as it is, and nothing is run', async () => {
  const model = buildSmall();
  const evaluate = () => Promise.reject(new Error('it was run'));
  expect(await reestimateBatchNorm(model, clusters(16), { batchSize: 8, batches: 1, seed: 2 }, evaluate)).toBe(model);
});
