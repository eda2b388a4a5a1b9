import { buildLenet5 } from '../../bench/demo/lenet5';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Dataset } from '../../lib/ir/dataset';
import type { Evaluate, Graph } from '../../lib/ir/graph';
import { type Tensor, tensorOf, viewAs } from '../../lib/ir/tensor';
import { verify } from '../../lib/ir/verify';
import { createReferenceEvaluate, type ReferenceEvaluate } from '../../lib/reference/evaluate';
import { zeros } from '../../lib/train/initialise';
import { crossEntropy } from '../../lib/train/losses';
import { sgd } from '../../lib/train/sgd';
import { buildStep, type TrainingStep } from '../../lib/train/step';
import { train } from '../../lib/train/train';
import type { TrainOptions, TrainProgress } from '../../lib/train/train-options';
import { trainableParameters } from '../../lib/train/trainable';
import { uniform } from '../ops/op-case';
import { mnistDigits } from './digits';
import { buildSmall, bytesOf, clusters } from './small-network';

let reference: ReferenceEvaluate;
beforeAll(() => {
  reference = createReferenceEvaluate();
});
afterAll(() => reference.close());

const evaluate: Evaluate = (graph, feeds, fetches) => reference.evaluate(graph, feeds, fetches);
const OPTIONS: TrainOptions = { epochs: 4, batchSize: 16, learningRate: 0.05, seed: 5 };

async function accuracy(graph: Graph, dataset: Dataset): Promise<number> {
  let right = 0;
  for await (const { inputs, labels, count } of dataset.batches({ size: 100 })) {
    const [output] = graph.outputs;
    const scores = viewAs((await evaluate(graph, inputs, [output])).get(output)!, 'float32');
    const classes = scores.length / count;
    for (let i = 0; i < count; i++) {
      const row = scores.subarray(i * classes, (i + 1) * classes);
      if (row.indexOf(Math.max(...row)) === labels![i]) right++;
    }
  }
  return right / dataset.count;
}

function stepOf(graph: Graph, batchSize: number): TrainingStep {
  const trainable = trainableParameters(graph);
  const step = buildStep(graph, { batchSize, trainable, loss: crossEntropy(), optimizer: sgd({ momentum: 0 }) });
  if (!('graph' in step)) throw new Error(JSON.stringify(step));
  return step;
}

test('the loss falls, and the same seed gives the same bytes', async () => {
  const losses: number[] = [];
  const onProgress = ({ loss }: TrainProgress) => losses.push(loss);
  const trained = await train(buildSmall(), clusters(96), { ...OPTIONS, onProgress }, evaluate);
  expect(losses).toHaveLength(24);
  expect(losses.at(-1)!).toBeLessThan(losses[0] / 4);
  expect(await accuracy(trained, clusters(96))).toBeGreaterThan(0.95);
  expect(bytesOf(await train(buildSmall(), clusters(96), OPTIONS, evaluate))).toEqual(bytesOf(trained));
  const other = await train(buildSmall(), clusters(96), { ...OPTIONS, seed: 6 }, evaluate);
  expect(bytesOf(other)).not.toEqual(bytesOf(trained));
});

test('epochs are counted from 1, each with its graph', async () => {
  const epochs: [number, string][] = [];
  const onEpoch = async (epoch: number, graph: Graph) => {
    epochs.push([epoch, String(bytesOf(graph))]);
  };
  const trained = await train(buildSmall(), clusters(32), { ...OPTIONS, epochs: 3, onEpoch }, evaluate);
  expect(epochs.map(([epoch]) => epoch)).toEqual([1, 2, 3]);
  expect(new Set(epochs.map(([, bytes]) => bytes)).size).toBe(3);
  expect(epochs[2][1]).toBe(String(bytesOf(trained)));
});

test('progress counts steps and estimates the time left; schedules see how far it is', async () => {
  let now = 1000;
  const seen: TrainProgress[] = [];
  const rates: number[] = [];
  const options: TrainOptions = {
    ...OPTIONS,
    epochs: 2,
    learningRate: (progress) => {
      rates.push(progress);
      return 0.01;
    },
    clock: () => now,
    onProgress: (progress) => {
      seen.push(progress);
      now += 500;
    },
  };
  await train(buildSmall(), clusters(40), options, evaluate);
  expect(rates).toEqual([0, 0.25, 0.5, 0.75]);
  expect(seen.map(({ step, steps, epoch, etaS }) => [step, steps, epoch, etaS])).toEqual([
    [1, 4, 0, 0],
    [2, 4, 0, 0.5],
    [3, 4, 1, 1 / 3],
    [4, 4, 1, 0],
  ]);
});

test('a step moves weights by momentum, decay and mask', async () => {
  const graph = buildSmall();
  const masked = 'first.weight';
  const mask = Float32Array.from({ length: 72 }, (_, i) => i % 2);
  const options = {
    ...OPTIONS,
    masking: { mode: 'frozen' as const, masks: new Map([[masked, tensorOf('float32', [6, 12], mask)]]) },
  };
  const trained = await train(graph, clusters(32), options, evaluate);
  const weights = viewAs(trained.initializers.get(masked)!, 'float32');
  expect(weights.filter((value, i) => i % 2 === 0 && value !== 0)).toHaveLength(0);
  expect(weights.filter((value, i) => i % 2 === 1 && value === 0)).toHaveLength(0);

  // Without gradient, decay alone shrinks a weight: v = 0.5 v + 0.1 w, w -= 0.2 v, twice by hand.
  const still = (emit: Parameters<ReturnType<typeof crossEntropy>>[0], [logits]: readonly string[]) =>
    emit.node('ReduceSum', [emit.node('Mul', [logits, emit.constant(tensorOf('float32', [], Float32Array.of(0)))])], {
      keepdims: 0,
    });
  const decayed = await train(
    graph,
    clusters(32),
    {
      ...OPTIONS,
      epochs: 1,
      learningRate: 0.2,
      loss: still,
      optimizer: sgd({ momentum: 0.5, weightDecay: 0.1 }),
      trainable: [masked],
    },
    evaluate,
  );
  const [before, after] = [graph, decayed].map(({ initializers }) => viewAs(initializers.get(masked)!, 'float32'));
  const first = 1 - 0.2 * 0.1;
  const second = first - 0.2 * (0.5 * 0.1 + 0.1 * first);
  before.forEach((value, i) => {
    expect(after[i]).toBeCloseTo(value * second, 6);
  });
});

test('an abort ends training between two steps', async () => {
  const controller = new AbortController();
  let steps = 0;
  const onProgress = () => {
    if (++steps === 3) controller.abort();
  };
  const running = train(buildSmall(), clusters(96), { ...OPTIONS, onProgress, signal: controller.signal }, evaluate);
  await expect(running).rejects.toMatchObject({ code: 'E_INTERRUPTED' });
  expect(steps).toBe(3);
});

test('what cannot be trained is said, naming node and operator', async () => {
  const builder = new GraphBuilder();
  const x = builder.input('x', 'float32', ['N', 6]);
  const weight = builder.initializer(zeros([6, 3]), 'weight');
  const product = builder.node('MatMul', [x, weight]);
  builder.output(builder.node('Floor', [product], {}, { name: 'steps' }), 'float32', ['N', 3]);
  const graph = builder.build();
  const error = train(graph, clusters(32), OPTIONS, evaluate);
  await expect(error).rejects.toMatchObject({ code: 'E_OPERATOR_UNSUPPORTED' });
  await expect(error).rejects.toThrow(/steps: Floor/);
  const bare = new GraphBuilder();
  bare.output(bare.node('Relu', [bare.input('x', 'float32', ['N', 6])]), 'float32', ['N', 6]);
  await expect(train(bare.build(), clusters(32), OPTIONS, evaluate)).rejects.toMatchObject({ code: 'E_GRAPH_INVALID' });
  await expect(train(buildSmall(), clusters(8), OPTIONS, evaluate)).rejects.toMatchObject({ code: 'E_DATA_MISMATCH' });
});

test('LeNet-5 gradients agree with differences of the loss in onnxruntime', async () => {
  // Biases of zero would put the empty background of the digits exactly on the kink of Relu.
  const untrained = buildLenet5(1);
  const biases = [...untrained.initializers].filter(([name]) => name.endsWith('.bias'));
  const raised = biases.map(([name, { dims }]) => [name, uniform(dims)] as const);
  const graph = { ...untrained, initializers: new Map([...untrained.initializers, ...raised]) };
  const step = stepOf(graph, 8);
  expect(verify(step.graph)).toEqual([]);
  const feeds = new Map<string, Tensor>([[step.learningRate, tensorOf('float32', [], Float32Array.of(1))]]);
  for await (const batch of mnistDigits(1).select([0, 1, 2, 3, 4, 5, 6, 7]).batches({ size: 8 })) {
    feeds.set('x', batch.inputs.get('x')!);
    feeds.set('labels', tensorOf('int32', [8], batch.labels as Int32Array<ArrayBuffer>));
  }
  for (const { name } of step.parameters) feeds.set(name, graph.initializers.get(name)!);
  const results = await evaluate(step.graph, feeds, step.graph.outputs);
  const lossWith = async (name: string, data: Float32Array<ArrayBuffer>, dims: readonly number[]) => {
    const moved = new Map(feeds).set(name, tensorOf('float32', dims, data));
    return viewAs((await evaluate(step.graph, moved, step.graph.outputs)).get(step.loss)!, 'float32')[0];
  };
  expect(step.parameters).toHaveLength(8);
  const ratios: [name: string, slopeByNorm: number][] = [];
  for (const { name, output, dims } of step.parameters) {
    const start = viewAs(graph.initializers.get(name)!, 'float32');
    // Plain SGD at rate 1: the gradient is what the parameter lost.
    const next = viewAs(results.get(output)!, 'float32');
    const gradient = Float32Array.from(start, (value, i) => value - next[i]);
    const norm = Math.sqrt(gradient.reduce((sum, value) => sum + value * value, 0));
    // Along its own direction the slope of the loss is the norm of the gradient.
    const moved = (step: number) => Float32Array.from(start, (value, i) => value + (step * gradient[i]) / norm);
    const [up, down] = [await lossWith(name, moved(0.005), dims), await lossWith(name, moved(-0.005), dims)];
    ratios.push([name, (up - down) / 0.01 / norm]);
  }
  expect(ratios.filter(([, ratio]) => !(Math.abs(ratio - 1) < 0.02))).toEqual([]);
});

test('LeNet-5 learns digits', async () => {
  const [training, held] = [mnistDigits(150), mnistDigits(30, 800)];
  const options: TrainOptions = { epochs: 3, batchSize: 50, learningRate: 0.02, seed: 1 };
  const trained = await train(buildLenet5(1), training, options, evaluate);
  expect(await accuracy(trained, held)).toBeGreaterThan(0.88);
});
