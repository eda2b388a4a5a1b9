import { z } from 'zod';
import type { Graph } from '../../ir/graph';
import { type Tensor, viewAs } from '../../ir/tensor';
import { prepare } from '../../passes/pipeline';
import { feedsOf } from '../feeds';
import { logitsOf } from '../logits-of';
import type { MethodContext } from '../method';
import { decibels, type SqnrDb } from './measure';
import { normalizeLayers } from './normalize-layers';
import { choicesFor, DEFAULT_QUANTIZE_OPTIONS, type QuantizeOptions } from './options';
import { requireFloatGraph } from './plan';
import { type Layer, roleOf } from './roles';
import { layerConstants, onGrid } from './weights';

/** What is tried, on how many samples. */
export const sensitivityOptions = z.strictObject({
  bits: z
    .array(z.number().int().min(2).max(8))
    .min(1)
    .readonly()
    .default([2, 3, 4, 5, 6, 8])
    .describe('bits of weights that every layer is tried with'),
  samples: z.number().int().min(1).default(128).describe('most validation samples that a trial runs'),
});
export type SensitivityOptions = z.output<typeof sensitivityOptions>;

/** What the network loses when the weights of one layer alone are quantized. */
export interface SensitivityRow {
  /** Node name. */
  readonly layer: string;
  readonly op: string;
  readonly bits: number;
  /** Weights of the layer. */
  readonly weights: number;
  /** SQNR of the first output (in front of a Softmax). */
  readonly sqnrDb: SqnrDb;
  /** Mean KL divergence of the class probabilities from those of the float network, in nats; undefined without classes. */
  readonly kl: number | undefined;
  /** Share of samples with the right class, or that of the float network where there are no labels; undefined too. */
  readonly score: number | undefined;
}

/** The sensitivity of all layers. */
export interface Sensitivity {
  /** By layer in graph order, then as `bits` was given. */
  readonly rows: readonly SensitivityRow[];
  /** Score of the float network on the same samples. */
  readonly floatScore: number | undefined;
  readonly samples: number;
}

type SensitivityContext = Pick<MethodContext, 'data' | 'evaluate' | 'onProgress' | 'signal'> & {
  readonly keep?: ReadonlySet<string>;
};

/**
 * Damage of quantizing the weights of each layer alone to each number of bits, on validation samples: the rest of the network
 * stays float. One session serves all trials, as weights are inputs of it. Schemes and granularities are those of `choices`.
 * @throws E_GRAPH_INVALID for a quantized graph, E_OPTION_VALUE, E_DATA_EMPTY, E_DATA_MISMATCH, E_INTERRUPTED
 */
export async function quantizationSensitivity(
  graph: Graph,
  { data, evaluate, keep, onProgress, signal }: SensitivityContext,
  { bits, samples }: SensitivityOptions,
  choices: QuantizeOptions = DEFAULT_QUANTIZE_OPTIONS,
): Promise<Sensitivity> {
  requireFloatGraph(graph);
  const float = normalizeLayers(prepare(graph).graph);
  const layers = layersOf(float).filter(({ node }) => !keep?.has(node.name));
  const trials = layers.flatMap((layer) => bits.map((weightBits) => trialOf(float, layer, weightBits, choices)));
  const names = [...new Set(trials.map(({ weight }) => weight))];
  const weights = new Map(names.map((name) => [name, float.initializers.get(name)!]));
  const lifted = liftConstants(float, weights);
  const output = logitsOf(float, float.outputs[0]);

  const { validation } = data;
  const subset = validation.select(Array.from({ length: Math.min(samples, validation.count) }, (_, index) => index));
  let [seen, signalPower, floatHits] = [0, 0, 0];
  let judged = false;
  for await (const { inputs, count, labels } of feedsOf(float, subset, signal)) {
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
    for (const trial of trials) {
      const found = await run([[trial.weight, trial.quantized]]);
      for (let i = 0; i < found.length; i++) trial.noise += (found[i] - expected[i]) ** 2;
      if (!judged) continue;
      trial.hits += hitsOf(found, classes, truth!);
      trial.divergence += divergence(expected, found, classes);
    }
    seen += count;
    onProgress?.('sensitivity', seen, subset.count);
  }
  return {
    rows: trials.map(({ layer, bits: weightBits, quantized, noise, divergence: sum, hits }) => ({
      layer: layer.node.name,
      op: layer.node.op,
      bits: weightBits,
      weights: viewAs(quantized, 'float32').length,
      sqnrDb: decibels(signalPower, noise),
      kl: judged ? sum / seen : undefined,
      score: judged ? hits / seen : undefined,
    })),
    floatScore: judged ? floatHits / seen : undefined,
    samples: seen,
  };
}

/** One layer with one number of bits, and what it adds up. */
interface Trial {
  readonly layer: Layer;
  readonly bits: number;
  /** Initializer, and what takes its place. */
  readonly weight: string;
  readonly quantized: Tensor;
  noise: number;
  divergence: number;
  hits: number;
}

function trialOf(graph: Graph, layer: Layer, bits: number, options: QuantizeOptions): Trial {
  const choices = { ...choicesFor(options, layer.node.name), weightBits: bits };
  const weight = layer.node.inputs[layer.weight.index];
  const quantized = onGrid(graph, layer, layerConstants(graph, layer, undefined, choices), choices);
  return { layer, bits, weight, quantized, noise: 0, divergence: 0, hits: 0 };
}

function layersOf(graph: Graph): Layer[] {
  return graph.nodes.flatMap((node) => {
    const role = roleOf(graph, node);
    return role.kind === 'layer' ? [role.layer] : [];
  });
}

/** The graph with some constants as further inputs. */
function liftConstants(graph: Graph, constants: ReadonlyMap<string, Tensor>): Graph {
  const types = [...constants].map(([name, { type, dims }]) => [name, { type, shape: dims }] as const);
  return {
    ...graph,
    inputs: [...graph.inputs, ...constants.keys()],
    initializers: new Map([...graph.initializers].filter(([name]) => !constants.has(name))),
    values: new Map([...graph.values, ...types]),
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
