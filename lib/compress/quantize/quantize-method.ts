import { z } from 'zod';
import type { Diagnostic } from '../../core/diagnostic';
import { HoneError } from '../../core/error';
import type { Graph } from '../../ir/graph';
import type { LayerDecision, Method, MethodContext, MethodResult } from '../method';
import { allocationPath, averageBits, type BitAllocation } from './allocate-bits';
import { decibelsText } from './measure-quality';
import { type QuantizationPlan, writeQdq } from './plan';
import { quantizationSensitivity, type Sensitivity, sensitivityOptions } from './quantization-sensitivity';
import { planQuantization, type QuantizeContext } from './quantize';
import { type QuantizeOptions, quantizeOptions } from './quantize-options';
import type { QuantizeReport } from './report';
import { type QatOptions, qatOptions, trainQuantized } from './train-quantized';

const mixedOptions = z.strictObject({
  averageBits: z.number().min(2).max(8).optional().describe('mean bits of a weight that are not exceeded'),
  maxDrop: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe('largest loss of the score, as a share, without training: the fewest bits that keep to it'),
  bits: sensitivityOptions.shape.bits,
  samples: sensitivityOptions.shape.samples,
});

/** Quantization as a step of a recipe. */
export const quantizeMethodOptions = quantizeOptions
  .extend({
    method: z.enum(['ptq', 'qat']).default('ptq').describe('ptq: no training; qat: training with rounded numbers'),
    qat: qatOptions.prefault({}).describe('the training of `method: qat`'),
    mixed: mixedOptions.optional().describe('bits of weights by layer, from the sensitivity of each'),
  })
  .refine(({ mixed }) => !mixed || (mixed.averageBits === undefined) !== (mixed.maxDrop === undefined), {
    path: ['mixed'],
    message: 'one of averageBits and maxDrop',
  });
export type QuantizeMethodOptions = z.output<typeof quantizeMethodOptions>;

/** Numbers of a quantization step, for reports. */
export interface QuantizeMethodReport extends QuantizeReport {
  /** Mean bits of a quantized weight. */
  readonly averageBits: number;
  /** Scores of rounding alone, with its repairs, and after training; undefined without training. */
  readonly training?: { readonly before: number; readonly after: number; readonly kept: boolean };
  /** What mixed precision rests on. */
  readonly sensitivity?: Sensitivity;
}

/**
 * Quantization to 2 to 8 bits, after training or with training, with bits by layer where that is asked for.
 * @throws what `quantize`, `quantizationSensitivity` and `recover` throw
 */
export const quantizeMethod: Method<QuantizeMethodOptions> = {
  name: 'quantize',
  summary: 'stores weights as int8 codes of 2 to 8 bits and computes on integers',
  options: quantizeMethodOptions,
  apply,
};

async function apply(graph: Graph, options: QuantizeMethodOptions, context: MethodContext): Promise<MethodResult> {
  const { method, qat, mixed, ...plain } = options;
  const { data, evaluate, openFinished, keep, onProgress, signal } = context;
  const common: Common = {
    dataset: data.calibration,
    evaluate,
    ...(openFinished && { openFinished }),
    keep,
    onProgress: ({ stage, done, total }) => onProgress?.(stage, done, total),
    ...(signal && { signal }),
  };
  const allocated = mixed && (await allocateBits(graph, plain, mixed, context, common));
  const chosen = allocated ? withBits(plain, allocated.bits) : plain;
  const { plan, finish } = await planQuantization(graph, { ...common, options: chosen });
  const better = method === 'qat' ? await trainIfBetter(plan, qat, context) : { plan };
  const result = await finish(better.plan);
  const { layers } = result.report;
  const weights = layers.reduce((sum, layer) => sum + layer.weights, 0);
  const report: QuantizeMethodReport = {
    ...result.report,
    averageBits: layers.reduce((sum, layer) => sum + layer.weights * layer.weightBits, 0) / weights,
    ...(better.training && { training: better.training }),
    ...(allocated && { sensitivity: allocated.sensitivity }),
  };
  const diagnostics = [
    ...report.diagnostics.filter(({ severity }) => severity === 'warning'),
    ...trainingNotices(report),
  ];
  return { graph: result.graph, decisions: decide(graph, report, options), report, diagnostics };
}

/** The plan after training, or as it was where the network that is written scores higher without. */
async function trainIfBetter(
  plan: QuantizationPlan,
  options: QatOptions,
  context: MethodContext,
): Promise<{ readonly plan: QuantizationPlan } & Pick<QuantizeMethodReport, 'training'>> {
  const before = await context.score(writeQdq(plan).graph);
  const trained = await trainQuantized(plan, options, context);
  const after = await context.score(writeQdq(trained).graph);
  const kept = after >= before;
  return { plan: kept ? trained : plan, training: { before, after, kept } };
}

function trainingNotices({ training }: QuantizeMethodReport): Diagnostic[] {
  if (!training || training.kept) return [];
  const [before, after] = [training.before, training.after].map((score) => `${(100 * score).toFixed(2)} %`);
  const message = `training with rounded numbers ends at ${after}, rounding alone at ${before}, which was kept`;
  return [{ severity: 'warning', kind: 'training-undone', where: 'qat', message }];
}

type Common = Omit<QuantizeContext, 'options'>;

/** Bits by layer that meet the goal, as far as the bits tried allow it. */
async function allocateBits(
  graph: Graph,
  options: QuantizeOptions,
  { averageBits: average, maxDrop, bits, samples }: z.output<typeof mixedOptions>,
  context: MethodContext,
  common: Common,
): Promise<{ readonly bits: BitAllocation; readonly sensitivity: Sensitivity }> {
  const sensitivity = await quantizationSensitivity(graph, context, { bits, samples }, options);
  const path = allocationPath(sensitivity.rows);
  if (average !== undefined) {
    const found = path.find((allocation) => averageBits(allocation, sensitivity.rows) <= average);
    if (found) return { bits: found, sensitivity };
    throw new HoneError('E_OPTION_VALUE', {
      option: 'mixed.averageBits',
      expected: `at least the fewest bits that are tried (${Math.min(...bits)})`,
      found: average,
    });
  }
  const least = (await context.score(graph)) - maxDrop!;
  const holds = async (allocation: BitAllocation) => {
    const candidate = await planQuantization(graph, { ...common, options: withBits(options, allocation) });
    return (await context.score(writeQdq(candidate.plan).graph)) >= least;
  };
  // Damage grows along the path: bisection between one that holds and one that does not.
  let [good, bad] = [0, path.length];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (await holds(path[middle])) good = middle;
    else bad = middle;
  }
  return { bits: path[good], sensitivity };
}

/** The options with bits for single layers; other choices for them stay. */
function withBits(options: QuantizeOptions, bits: BitAllocation): QuantizeOptions {
  const others = Object.entries(options.layers).filter(([glob]) => !bits.has(glob));
  const own = [...bits].map(([layer, weightBits]) => [layer, { ...options.layers[layer], weightBits }] as const);
  return { ...options, layers: Object.fromEntries([...others, ...own]) };
}

/** Layers in graph order, then other nodes that stay float. */
function decide(graph: Graph, report: QuantizeMethodReport, { mixed }: QuantizeMethodOptions): LayerDecision[] {
  const rank = new Map(graph.nodes.map(({ name }, index) => [name, index]));
  const how = report.training?.kept ? 'trained with rounded numbers' : 'without training';
  const quantized = report.layers.map((layer): LayerDecision => {
    const { name, weightBits, scheme, rounding, arithmetic, sqnrDb } = layer;
    const rounded = rounding === 'adaround' ? ', rounded by AdaRound' : '';
    const on = arithmetic === 'integer' ? 'computes on integers' : 'computes in float';
    return {
      layer: name,
      treatment: `${weightBits}-bit ${scheme} weights${rounded}, ${on}`,
      reason: `${mixed ? 'least damage per bit saved' : 'bits as asked for'}, ${how}; SQNR ${decibelsText(sqnrDb)}`,
      // Noise beside the signal.
      damage: 10 ** (-sqnrDb / 10),
    };
  });
  const names = new Set(report.layers.map(({ name }) => name));
  const float = report.skipped
    .filter(({ name }) => !names.has(name))
    .map(({ name, reason }): LayerDecision => ({ layer: name, treatment: 'left in float', reason }));
  const place = ({ layer }: LayerDecision) => rank.get(layer) ?? graph.nodes.length;
  return [...quantized, ...float].sort((a, b) => place(a) - place(b));
}
