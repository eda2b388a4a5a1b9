import { Rng } from '../../lib/core/rng';
import { typeOf } from '../../lib/ir/edit';
import type { Graph } from '../../lib/ir/graph';
import { elementCount, type Tensor, tensorFrom, tensorOf } from '../../lib/ir/tensor';
import { bindShapes, inferShapes } from '../../lib/passes/infer-shapes';
import { openReference } from '../../lib/reference/session';
import { trainBatchNorm } from '../../lib/train/batch-norm';
import { zeros } from '../../lib/train/initialise';
import { crossEntropy, LABELS } from '../../lib/train/losses';
import { sgd } from '../../lib/train/sgd';
import { buildStep } from '../../lib/train/step';
import { trainableParameters } from '../../lib/train/trainable';
import { round } from '../choose-rival';
import { buildLenet5 } from '../demo/lenet5';
import { ratioSpread, spreadOf, timeInterleaved } from '../timing';
import type { TrialContext, TrialOutcome, TrialRecord } from '../trial';
import { buildResNet8 } from './resnet8';

const BATCH = 64;
const SEED = 1;

interface Row {
  readonly name: string;
  readonly graph: () => Graph;
  /** Dearest step that is allowed, in forward passes. */
  readonly bar: number;
}

const ROWS: readonly Row[] = [
  { name: 'LeNet-5', graph: () => buildLenet5(SEED), bar: 3.6 },
  { name: 'ResNet-8 with batch norm', graph: () => buildResNet8(SEED), bar: 4.2 },
];

/** Length of a training step in forward passes of the same net, one thread, batches of 64. */
export async function runStepTime({ pairs, say }: TrialContext): Promise<TrialOutcome> {
  const records: TrialRecord[] = [];
  const rows: string[][] = [['net, batch 64', 'forward', 'step', 'ratio', 'quartiles', 'of least', 'bar']];
  const missed: string[] = [];
  for (const { name, graph, bar } of ROWS) {
    say(`training step: ${name}`);
    const { forwardUs, stepUs } = await timeStep(graph(), pairs);
    const [forward, step] = [spreadOf(forwardUs), spreadOf(stepUs)];
    const ratio = ratioSpread(stepUs, forwardUs);
    const ofLeast = step.least / forward.least;
    const ms = (us: number) => `${(us / 1000).toFixed(2)} ms`;
    const passes = ratio.median <= bar;
    rows.push([
      name,
      ms(forward.median),
      ms(step.median),
      ratio.median.toFixed(2),
      `${ratio.q1.toFixed(2)}–${ratio.q3.toFixed(2)}`,
      ofLeast.toFixed(2),
      `${bar}${passes ? '' : ' missed'}`,
    ]);
    if (!passes) missed.push(`step time of ${name}: ${ratio.median.toFixed(2)} forward passes > ${bar}`);
    records.push({
      net: name,
      batch: BATCH,
      threads: 1,
      pairs,
      forwardUs: { least: round(forward.least), median: round(forward.median) },
      stepUs: { least: round(step.least), median: round(step.median) },
      ratio: { q1: round(ratio.q1), median: round(ratio.median), q3: round(ratio.q3) },
      ratioOfLeast: round(ofLeast),
      bar,
    });
  }
  return { records, table: rows, skipped: [], missed };
}

/** Microseconds of the forward pass and of the step, taken in turns; both get their weights as inputs. */
async function timeStep(graph: Graph, pairs: number): Promise<{ forwardUs: Float64Array; stepUs: Float64Array }> {
  const trainable = trainableParameters(graph);
  const built = buildStep(graph, { batchSize: BATCH, trainable, loss: crossEntropy(), optimizer: sgd() });
  if (!('graph' in built)) throw new Error(JSON.stringify(built));
  const forward = forwardOf(graph, trainable);
  const rng = new Rng(SEED);
  const feeds = new Map<string, Tensor>();
  for (const input of built.graph.inputs) feeds.set(input, drawInput(graph, built.graph, input, rng));
  feeds.set(built.learningRate, tensorFrom('float32', [], [1e-3]));
  const forwardFeeds = new Map(forward.inputs.map((input) => [input, feeds.get(input)!]));
  await using step = await openReference(built.graph);
  await using plain = await openReference(forward);
  const subjects = [
    { name: 'forward', run: () => plain.run(forwardFeeds) },
    { name: 'step', run: () => step.run(feeds) },
  ];
  const [forwardUs, stepUs] = await timeInterleaved(subjects, { rounds: pairs, warmUp: 10, repeat: 1 });
  return { forwardUs, stepUs };
}

/** The net in training mode for batches of `BATCH` with its trainable initializers as inputs. */
function forwardOf(graph: Graph, trainable: readonly string[]): Graph {
  const { graph: training, statistics } = trainBatchNorm(bindShapes(graph, { N: BATCH }));
  const outputs = [...training.outputs, ...statistics.map(({ output }) => output)];
  const fixed = inferShapes({ ...training, outputs }).graph;
  const initializers = new Map(fixed.initializers);
  const values = new Map(fixed.values);
  for (const name of trainable) {
    values.set(name, typeOf(fixed, name)!);
    initializers.delete(name);
  }
  return { ...fixed, inputs: [...fixed.inputs, ...trainable], initializers, values };
}

/** Weights of the net as they are, zeros for the optimiser, drawn classes, standard normal numbers for the rest. */
function drawInput(graph: Graph, step: Graph, input: string, rng: Rng): Tensor {
  const weight = graph.initializers.get(input);
  if (weight) return weight;
  const dims = typeOf(step, input)!.shape as readonly number[];
  if (input === LABELS)
    return tensorFrom(
      'int32',
      dims,
      Array.from({ length: BATCH }, () => rng.integer(0, 9)),
    );
  if (!graph.inputs.includes(input)) return zeros(dims);
  return tensorOf(
    'float32',
    dims,
    Float32Array.from({ length: elementCount(dims) }, () => rng.normal()),
  );
}
