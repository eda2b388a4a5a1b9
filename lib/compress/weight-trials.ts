import { HoneError } from '../core/error';
import type { Graph } from '../ir/graph';
import { type Tensor, viewAs } from '../ir/tensor';
import { feedsOf } from './feeds';
import { liftConstants } from './lift-constants';
import { logitsOf } from './logits-of';
import type { MethodContext } from './method';
import { decibels, type SqnrDb } from './quantize/measure';

/** Other values for one constant of a network. */
export interface WeightTrial {
  /** Initializer, and what takes its place. */
  readonly weight: string;
  readonly tensor: Tensor;
}

/** What a trial does to the network's first output (in front of a Softmax). */
export interface TrialDamage {
  readonly sqnrDb: SqnrDb;
  /** Mean KL divergence of the class probabilities from those of the network as it is, in nats; undefined without classes. */
  readonly kl: number | undefined;
  /** Share of samples with the right class, or that of the network as it is where there are no labels; undefined too. */
  readonly score: number | undefined;
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
  const sums = trials.map((trial) => ({ trial, noise: 0, divergence: 0, hits: 0 }));
  let [seen, signalPower, floatHits] = [0, 0, 0];
  let judged = false;
  for await (const { inputs, count, labels } of feedsOf(graph, subset, signal)) {
    const run = async (changed: readonly (readonly [string, Tensor])[]) => {
      const results = await evaluate(lifted, new Map([...inputs, ...weights, ...changed]), [output]);
      return viewAs(results.get(output)!, 'float32');
    };
    const expected = await run([]);
    const classes = expected.length / count;
    judged = Number.isInteger(classes) && classes > 1;
    const truth = labels ?? (judged ? largest(expected, classes) : undefined);
    if (judged) floatHits += hitsOf(expected, classes, truth!);
    for (const x of expected) signalPower += x * x;
    if (!Number.isFinite(signalPower))
      throw new HoneError('E_CALIBRATION', { value: output, reason: 'a sample makes it NaN or infinite' });
    for (const sum of sums) {
      const found = await run([[sum.trial.weight, sum.trial.tensor]]);
      for (let i = 0; i < found.length; i++) sum.noise += (found[i] - expected[i]) ** 2;
      if (!judged) continue;
      sum.hits += hitsOf(found, classes, truth!);
      sum.divergence += divergence(expected, found, classes);
    }
    seen += count;
    onProgress?.('sensitivity', seen, subset.count);
  }
  return {
    damages: sums.map(({ noise, divergence: sum, hits }) => ({
      sqnrDb: decibels(signalPower, noise),
      kl: judged ? sum / seen : undefined,
      score: judged ? hits / seen : undefined,
    })),
    floatScore: judged ? floatHits / seen : undefined,
    samples: seen,
  };
}

/** Class with the largest output of every sample. */
function largest(outputs: Float32Array, classes: number): Int32Array {
  return Int32Array.from({ length: outputs.length / classes }, (_, sample) => {
    let best = 0;
    for (let c = 1; c < classes; c++) if (outputs[sample * classes + c] > outputs[sample * classes + best]) best = c;
    return best;
  });
}

function hitsOf(outputs: Float32Array, classes: number, truth: Int32Array): number {
  return largest(outputs, classes).reduce((sum, found, sample) => sum + Number(found === truth[sample]), 0);
}

/** Sum over samples of KL(softmax(expected) || softmax(found)). */
function divergence(expected: Float32Array, found: Float32Array, classes: number): number {
  let sum = 0;
  for (let at = 0; at < expected.length; at += classes) {
    const p = logSoftmax(expected.subarray(at, at + classes));
    const q = logSoftmax(found.subarray(at, at + classes));
    p.forEach((logP, c) => {
      sum += Math.exp(logP) * (logP - q[c]);
    });
  }
  return sum;
}

function logSoftmax(logits: Float32Array): Float64Array {
  const highest = Math.max(...logits);
  const shifted = Float64Array.from(logits, (x) => x - highest);
  const total = Math.log(shifted.reduce((sum, x) => sum + Math.exp(x), 0));
  return shifted.map((x) => x - total);
}
