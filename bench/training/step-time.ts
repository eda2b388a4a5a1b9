import { fakeQuantize } from '../../lib/compress/quantize/fake-quantize';
import { planQuantization } from '../../lib/compress/quantize/quantize';
import { Rng } from '../../lib/core/rng';
import { datasetFromTensors } from '../../lib/data/create-dataset';
import { typeOf } from '../../lib/ir/edit';
import type { Graph } from '../../lib/ir/graph';
import { elementCount, type Tensor, tensorFrom, tensorOf } from '../../lib/ir/tensor';
import { bindShapes, inferShapes } from '../../lib/passes/infer-shapes';
import { createReferenceEvaluate } from '../../lib/reference/evaluate';
import { openReference } from '../../lib/reference/session';
import { trainBatchNorm } from '../../lib/train/batch-norm';
import { zeros } from '../../lib/train/initialise';
import { crossEntropy, LABELS } from '../../lib/train/losses';
import { sgd } from '../../lib/train/sgd';
import { buildStep } from '../../lib/train/step';
import { trainableParameters } from '../../lib/train/trainable';
import { round } from '../choose-rival';
import { buildLenet5 } from '../demo/lenet5';
import { median, ratioSpread, spreadOf, timeInterleaved } from '../timing';
import type { TrialContext, TrialOutcome, TrialRecord } from '../trial';
import { buildResNet8 } from './resnet8';

const BATCH = 64;
const SEED = 1;

/** Two graphs to be timed in turns. Inputs named like an initializer of `net` get its value. */
interface Pair {
  readonly net: Graph;
  readonly base: Graph;
  readonly step: Graph;
}

interface Row {
  readonly name: string;
  /** What the step is divided by. */
  readonly against: string;
  /** Dearest step that is allowed, in times of the base; Infinity where it is only told. */
  readonly bar: number;
  readonly build: () => Pair | Promise<Pair>;
}

const ROWS: readonly Row[] = [
  { name: 'LeNet-5', against: 'forward pass', bar: 3.6, build: () => besideForward(buildLenet5(SEED)) },
  {
    name: 'ResNet-8 with batch norm',
    against: 'forward pass',
    bar: 4.2,
    build: () => besideForward(buildResNet8(SEED)),
  },
  {
    name: 'ResNet-8, fake quantization',
    against: 'step without',
    bar: 1.15,
    build: () => fakeQuantizedBesideFloat(buildResNet8(SEED), false),
  },
  {
    name: 'ResNet-8, learned step sizes',
    against: 'step without',
    bar: Number.POSITIVE_INFINITY,
    build: () => fakeQuantizedBesideFloat(buildResNet8(SEED), true),
  },
];

/** Length of a training step beside that of the same net's forward pass, or of a plainer step; one thread, batches of 64. */
export async function runStepTime({ pairs, say }: TrialContext): Promise<TrialOutcome> {
  const records: TrialRecord[] = [];
  const rows: string[][] = [
    ['net, batch 64', 'against', 'its time', 'step', 'ratio', 'quartiles', 'of least', 'of processor time', 'bar'],
  ];
  const missed: string[] = [];
  for (const { name, against, bar, build } of ROWS) {
    say(`training step: ${name}`);
    const times = await timePair(await build(), pairs);
    const [base, step] = times.us.map(spreadOf);
    const ratio = ratioSpread(times.us[1], times.us[0]);
    const ofLeast = step.least / base.least;
    const ofProcessor = median(times.processorUs[1]) / median(times.processorUs[0]);
    const ms = (us: number) => `${(us / 1000).toFixed(2)} ms`;
    const passes = ratio.median <= bar;
    rows.push([
      name,
      against,
      ms(base.median),
      ms(step.median),
      ratio.median.toFixed(2),
      `${ratio.q1.toFixed(2)}–${ratio.q3.toFixed(2)}`,
      ofLeast.toFixed(2),
      ofProcessor.toFixed(2),
      bar === Number.POSITIVE_INFINITY ? 'none' : `${bar}${passes ? '' : ' missed'}`,
    ]);
    if (!passes) missed.push(`step time of ${name}: ${ratio.median.toFixed(2)} times the ${against} > ${bar}`);
    records.push({
      net: name,
      against,
      batch: BATCH,
      threads: 1,
      pairs,
      baseUs: { least: round(base.least), median: round(base.median) },
      stepUs: { least: round(step.least), median: round(step.median) },
      ratio: { q1: round(ratio.q1), median: round(ratio.median), q3: round(ratio.q3) },
      ratioOfLeast: round(ofLeast),
      ratioOfProcessorTime: round(ofProcessor),
      ...(bar !== Number.POSITIVE_INFINITY && { bar }),
    });
  }
  return { records, table: rows, skipped: [], missed };
}

/**
 * Microseconds of both graphs, base first: by the clock, and of the process on its processors, which a busy machine changes
 * least.
 */
async function timePair(
  { net, base, step }: Pair,
  pairs: number,
): Promise<{ us: readonly Float64Array[]; processorUs: readonly number[][] }> {
  await using baseSession = await openReference(base);
  await using stepSession = await openReference(step);
  const processorUs: [number[], number[]] = [[], []];
  const subjects = [baseSession, stepSession].map((session, index) => {
    const feeds = drawFeeds(net, index === 0 ? base : step);
    const run = async () => {
      const before = process.cpuUsage();
      await session.run(feeds);
      const { user, system } = process.cpuUsage(before);
      processorUs[index].push(user + system);
    };
    return { name: index === 0 ? 'base' : 'step', run };
  });
  const us = await timeInterleaved(subjects, { rounds: pairs, warmUp: 10, repeat: 1 });
  return { us, processorUs: processorUs.map((times) => times.slice(-pairs)) };
}

/** The net's step of SGD with momentum and its forward pass, both in training mode with weights as inputs. */
function besideForward(net: Graph): Pair {
  const trainable = trainableParameters(net);
  const { graph: training, statistics } = trainBatchNorm(bindShapes(net, { N: BATCH }));
  const outputs = [...training.outputs, ...statistics.map(({ output }) => output)];
  const fixed = inferShapes({ ...training, outputs }).graph;
  const initializers = new Map(fixed.initializers);
  const values = new Map(fixed.values);
  for (const name of trainable) {
    values.set(name, typeOf(fixed, name)!);
    initializers.delete(name);
  }
  return {
    net,
    base: { ...fixed, inputs: [...fixed.inputs, ...trainable], initializers, values },
    step: stepOf(net, trainable),
  };
}

function stepOf(net: Graph, trainable: readonly string[]): Graph {
  const built = buildStep(net, { batchSize: BATCH, trainable, loss: crossEntropy(), optimizer: sgd() });
  if (!('graph' in built)) throw new Error(JSON.stringify(built));
  return built.graph;
}

/**
 * Steps of the net, prepared for quantization, with weights and activations rounded to 8 bits and without; `learned`: the
 * scales move too.
 */
async function fakeQuantizedBesideFloat(net: Graph, learned: boolean): Promise<Pair> {
  const [input] = net.inputs;
  const images = drawFeeds(net, bindShapes(net, { N: BATCH })).get(input)!;
  await using reference = createReferenceEvaluate();
  const dataset = datasetFromTensors('noise', new Map([[input, images]]));
  const { plan } = await planQuantization(net, { dataset, evaluate: reference.evaluate });
  const { graph, parameters, steps } = fakeQuantize(plan);
  const scales = learned ? steps.map(({ name }) => name) : [];
  return {
    net: graph,
    base: stepOf(plan.graph, trainableParameters(plan.graph)),
    step: stepOf(graph, [...parameters.keys(), ...scales]),
  };
}

/** Inputs of `graph`: numbers of the net where it has them, its inputs normal, classes, and zeros for the optimiser. */
function drawFeeds(net: Graph, graph: Graph): Map<string, Tensor> {
  const rng = new Rng(SEED);
  const draw = (input: string): Tensor => {
    const known = net.initializers.get(input);
    if (known) return known;
    const dims = typeOf(graph, input)!.shape as readonly number[];
    const count = elementCount(dims);
    if (input === LABELS) {
      const classes = Array.from({ length: count }, () => rng.integer(0, 9));
      return tensorFrom('int32', dims, classes);
    }
    if (!net.inputs.includes(input)) return zeros(dims);
    return tensorOf(
      'float32',
      dims,
      Float32Array.from({ length: count }, () => rng.normal()),
    );
  };
  return new Map(graph.inputs.map((input) => [input, draw(input)]));
}
