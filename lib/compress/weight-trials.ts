import { HoneError } from '../core/error';
import type { Graph } from '../ir/graph';
import { elementCount, type Tensor, viewAs } from '../ir/tensor';
import { inferShapes } from '../passes/infer-shapes';
import { feedsOf } from './feeds';
import { liftConstants } from './lift-constants';
import { logitsOf } from './logits-of';
import type { MethodContext } from './method';
import { decibels, type SqnrDb } from './quantize/measure-quality';
import { largestAlong, taskOf } from './task';

/** Other values for one constant of a network. */
export interface WeightTrial {
  /** Initializer, and what takes its place. */
  readonly weight: string;
  readonly tensor: Tensor;
}

/** What a trial does to the network's first output (in front of a Softmax). */
export interface TrialDamage {
  readonly sqnrDb: SqnrDb;
  /** Mean KL divergence (per sample, or per position) of the class probabilities from those of the network as it is, in nats; undefined without classes. */
  readonly kl: number | undefined;
  /** Share of right classes (per sample, or per position of a sequence), or of those of the network as it is without labels; undefined too. */
  readonly score: number | undefined;
  /** Standard error of the score's difference from that of the network as it is, from the paired samples; undefined too. */
  readonly dropStandardError: number | undefined;
}

export interface TrialResults {
  /** One per trial. */
  readonly damages: readonly TrialDamage[];
  /** Score of the network as it is, on the same samples. */
  readonly floatScore: number | undefined;
  readonly samples: number;
}

/** What trials run with. */
export type TrialContext = Pick<MethodContext, 'data' | 'evaluate' | 'onProgress' | 'signal'>;

/**
 * Damage of each trial alone, on the first `samples` validation samples. One session serves all trials, as weights are inputs
 * of it.
 * @throws E_DATA_EMPTY, E_DATA_MISMATCH, E_CALIBRATION for outputs that are not finite, E_INTERRUPTED
 */
export async function tryWeights(
  graph: Graph,
  trials: readonly WeightTrial[],
  samples: number,
  { data: { validation }, evaluate, onProgress, signal }: TrialContext,
): Promise<TrialResults> {
  const names = [...new Set(trials.map(({ weight }) => weight))];
  const weights = new Map(names.map((name) => [name, graph.initializers.get(name)!]));
  const lifted = liftConstants(graph, weights);
  const output = logitsOf(graph, graph.outputs[0]);
  const subset = validation.select(Array.from({ length: Math.min(samples, validation.count) }, (_, index) => index));
  const sums = trials.map((trial) => ({ trial, noise: 0, divergence: 0, shares: [] as number[] }));
  const floatShares: number[] = [];
  let [seen, signalPower] = [0, 0];
  const task = taskOf(inferShapes(graph).graph, validation.hasLabels);
  const judged = task.kind !== 'numbers';
  for await (const { inputs, count, labels } of feedsOf(graph, subset, signal)) {
    const run = async (changed: readonly (readonly [string, Tensor])[]) => {
      const results = await evaluate(lifted, new Map([...inputs, ...weights, ...changed]), [output]);
      const tensor = results.get(output)!;
      return { values: viewAs(tensor, 'float32'), dims: tensor.dims };
    };
    const { values: expected, dims } = await run([]);
    // Logits in front of a Softmax have its extents, but for classes that a change of shape follows.
    const positions = task.kind === 'positions' && dims.length > task.axis ? task.axis : undefined;
    const lines = positions === undefined ? [count, expected.length / count] : dims;
    const axis = positions ?? 1;
    const truth = labels ?? (judged ? largestAlong(expected, lines, axis) : undefined);
    if (judged) floatShares.push(...sharesOf(expected, lines, axis, truth!, count));
    for (const x of expected) signalPower += x * x;
    if (!Number.isFinite(signalPower))
      throw new HoneError('E_CALIBRATION', { value: output, reason: 'a sample makes it NaN or infinite' });
    for (const sum of sums) {
      const { values: found } = await run([[sum.trial.weight, sum.trial.tensor]]);
      for (let i = 0; i < found.length; i++) sum.noise += (found[i] - expected[i]) ** 2;
      if (!judged) continue;
      sum.shares.push(...sharesOf(found, lines, axis, truth!, count));
      sum.divergence += (count * divergence(expected, found, lines, axis) * lines[axis]) / found.length;
    }
    seen += count;
    onProgress?.('sensitivity', seen, subset.count);
  }
  return {
    damages: sums.map(({ noise, divergence: sum, shares }) => ({
      sqnrDb: decibels(signalPower, noise),
      kl: judged ? sum / seen : undefined,
      score: judged ? mean(shares) : undefined,
      dropStandardError: judged ? standardError(shares.map((share, at) => share - floatShares[at])) : undefined,
    })),
    floatScore: judged ? mean(floatShares) : undefined,
    samples: seen,
  };
}

/** Share of right classes of each sample. */
function sharesOf(
  outputs: Float32Array,
  dims: readonly number[],
  axis: number,
  truth: ArrayLike<number>,
  samples: number,
): number[] {
  const found = largestAlong(outputs, dims, axis);
  const each = found.length / samples;
  return Array.from({ length: samples }, (_, sample) => {
    let right = 0;
    for (let at = sample * each; at < (sample + 1) * each; at++) right += Number(found[at] === truth[at]);
    return right / each;
  });
}

/** Sum over samples, or their positions, of KL(softmax(expected) || softmax(found)) along an axis. */
function divergence(expected: Float32Array, found: Float32Array, dims: readonly number[], axis: number): number {
  const classes = dims[axis];
  const inner = elementCount(dims.slice(axis + 1));
  let sum = 0;
  for (let position = 0; position < expected.length / classes; position++) {
    const start = Math.floor(position / inner) * classes * inner + (position % inner);
    const line = (values: Float32Array) => Float32Array.from({ length: classes }, (_, k) => values[start + k * inner]);
    const [p, q] = [logSoftmax(line(expected)), logSoftmax(line(found))];
    p.forEach((logP, c) => {
      sum += Math.exp(logP) * (logP - q[c]);
    });
  }
  return sum;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Standard error of a mean. */
function standardError(values: readonly number[]): number {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)) / values.length);
}

function logSoftmax(logits: Float32Array): Float64Array {
  const highest = Math.max(...logits);
  const shifted = Float64Array.from(logits, (x) => x - highest);
  const total = Math.log(shifted.reduce((sum, x) => sum + Math.exp(x), 0));
  return shifted.map((x) => x - total);
}
