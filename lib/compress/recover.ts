import { z } from 'zod';
import type { Diagnostic } from '../core/diagnostic';
import { HoneError } from '../core/error';
import type { Dataset } from '../ir/dataset';
import { removeDead } from '../ir/edit';
import type { Graph } from '../ir/graph';
import { type Tensor, tensorFrom, viewAs } from '../ir/tensor';
import { inferShapes } from '../passes/infer-shapes';
import { adam } from '../train/adam';
import { separateBatchNorm } from '../train/batch-norm';
import { crossEntropy } from '../train/losses';
import type { Optimizer } from '../train/optimizer';
import type { RescueEvent } from '../train/rescue';
import { SCHEDULES, type ScheduleName, warmUp } from '../train/schedules';
import { sgd } from '../train/sgd';
import { train } from '../train/train';
import { CLIP_SHARE, type Schedule, type TrainOptions } from '../train/train-options';
import { trainableParameters } from '../train/trainable';
import { distillationOptions } from './distill/distill-options';
import { logitScale } from './distill/logit-scale';
import { planDistillation } from './distill/plan-distillation';
import { withTeacher } from './distill/with-teacher';
import { freeToTrain } from './free-to-train';
import type { MethodContext } from './method';
import { zeroMasks } from './prune/zero-masks';

/** How a network is trained to win back accuracy; the same keys in every method that trains. */
export const recoveryOptions = z.strictObject({
  epochs: z.number().int().min(0).default(5).describe('passes over the training samples; 0 trains nothing'),
  batchSize: z.number().int().min(1).default(64).describe('samples per step'),
  learningRate: z.number().positive().default(0.01).describe('largest learning rate'),
  schedule: z
    .enum(Object.keys(SCHEDULES) as [ScheduleName, ...ScheduleName[]])
    .default('cosine')
    .describe('course of the learning rate: constant, or down to zero or near it'),
  warmup: z
    .number()
    .min(0)
    .max(0.9)
    .default(0)
    .describe('share of the steps in which the learning rate rises from zero'),
  optimizer: z
    .enum(['sgd', 'adam', 'adamw'])
    .default('sgd')
    .describe('how weights move; adam leaves weightDecay out, adamw keeps it beside the gradient'),
  momentum: z.number().min(0).lt(1).default(0.9).describe('part of the velocity that sgd keeps from step to step'),
  weightDecay: z.number().min(0).default(0).describe('pull of weights towards zero'),
  clipNorm: z.number().positive().optional().describe('largest norm of all gradients together; no limit when left out'),
  clipShare: z
    .number()
    .min(0)
    .optional()
    .describe(
      `largest norm of each tensor's gradient, as a share of the tensor's own norm (0: no limit); ${CLIP_SHARE} with sgd and none with adam when left out`,
    ),
  emaDecay: z
    .number()
    .min(0)
    .lt(1)
    .optional()
    .describe('takes the moving average of the weights with this decay per step; the last weights when left out'),
  batchNorm: z
    .enum(['train', 'frozen'])
    .default('train')
    .describe('train: statistics of the batch, and the running ones move; frozen: they stay'),
  labels: z.enum(['use', 'ignore']).default('use').describe('ignore trains on the teacher alone, as without labels'),
  select: z
    .enum(['best', 'last'])
    .default('best')
    .describe(
      'best: the end, or what scores higher on the validation samples: the start, or an earlier epoch if by more than a standard error; last: the end',
    ),
  distillation: distillationOptions
    .prefault({})
    .describe('the teacher: the float model unless a step names another one'),
});
export type RecoveryOptions = z.output<typeof recoveryOptions>;

/**
 * The graph after training on the context's samples, with the float model as teacher unless the options say otherwise.
 * Weights that are zero on entry stay zero. `extra` are options of `train` that belong to the calling method (masks, learned
 * step sizes) and go before those made here; `key` names its checkpoint. A graph that fixes its batch trains in a free form of it. Training that diverges at every rate gives the best epoch
 * before, or the graph as it came, and tells the context; it throws where masks change or the start is no model of its own. While masks change (`extra.masking.update`) an early
 * epoch is no candidate for the best: the end is taken.
 * @throws E_DATA_MISMATCH without training samples, or without labels and teacher; E_OPTION_VALUE when the teacher does not
 * fit; what `train` throws
 */
export async function recover(
  graph: Graph,
  options: RecoveryOptions,
  context: MethodContext,
  key: string,
  extra: Partial<TrainOptions> = {},
  startCounts = true,
): Promise<Graph> {
  if (options.epochs === 0) return graph;
  const fixed = separateBatchNorm(graph);
  const free = await freeToTrain(fixed, context.data.calibration, context.evaluate);
  if (free === fixed) return recoverFree(graph, options, context, key, extra, startCounts);
  const teacher = await freeToTrain(context.teacher, context.data.calibration, context.evaluate);
  const trained = await recoverFree(free, options, { ...context, teacher }, key, extra, startCounts);
  // The shape constants of the free form stay behind.
  const weights = [...fixed.initializers].map(
    ([name, value]) => [name, trained.initializers.get(name) ?? value] as const,
  );
  return trained === free ? graph : { ...fixed, initializers: new Map(weights) };
}

/** `recover` of a graph that takes batches of any size. */
async function recoverFree(
  graph: Graph,
  options: RecoveryOptions,
  context: MethodContext,
  key: string,
  extra: Partial<TrainOptions>,
  startCounts: boolean,
): Promise<Graph> {
  const { data, evaluate, seed, checkpoints, clock, signal, onProgress } = context;
  if (!data.training) throw new HoneError('E_DATA_MISMATCH', { expected: 'training samples', found: 'none' });
  const taught = extra.loss ? untaught(graph, data.training) : await teach(graph, data.training, options, context);
  // Biases and shifts may be zero without having been pruned.
  const weights = (extra.trainable ?? trainableParameters(graph)).filter(
    (name) => graph.initializers.get(name)!.dims.length >= 2,
  );
  const masks = zeroMasks(graph, weights);
  const resume = await checkpoints?.load(key);
  const best =
    options.select === 'best' && !extra.masking?.update ? await openBest(graph, context, `${key}.best`) : undefined;
  let rescue: RescueEvent | undefined;
  const tell = (severity: Diagnostic['severity'], message: string) =>
    context.onDiagnostic?.({ severity, kind: 'training-diverged', where: 'training', message });
  const training = train(
    taught.graph,
    taught.dataset,
    {
      epochs: options.epochs,
      batchSize: options.batchSize,
      learningRate: scheduleOf(options),
      optimizer: optimizerOf(options),
      batchNorm: options.batchNorm,
      seed,
      ...(options.clipNorm !== undefined && { clipNorm: options.clipNorm }),
      ...clipShareOf(options),
      ...(options.emaDecay !== undefined && { emaDecay: options.emaDecay }),
      ...(masks.size > 0 && { masking: { mode: 'frozen', masks } }),
      ...(checkpoints && {
        checkpoint: { everySteps: checkpoints.everySteps, save: (state) => checkpoints.save(key, state) },
      }),
      ...(resume && { resume }),
      ...(best && { onEpoch: best.offer }),
      ...(clock && { clock }),
      ...(signal && { signal }),
      onProgress: ({ step, steps }) => onProgress?.(key, step, steps),
      onRescue: (event) => {
        rescue = event;
      },
      ...taught.options,
      ...extra,
      ...(extra.trainable && { trainable: [...extra.trainable, ...taught.regressors] }),
      ...(extra.schedules && { schedules: new Map([...(taught.options.schedules ?? []), ...extra.schedules]) }),
    },
    evaluate,
  );
  try {
    const trained = removeDead(await training);
    if (rescue) tell('warning', rescueWords(rescue));
    return best ? best.of(trained) : trained;
  } catch (error) {
    const diverged = error instanceof HoneError && error.code === 'E_TRAINING';
    // Without training there is nothing where the masks come with it, or weights that were drawn anew.
    if (!diverged || extra.masking?.update || !startCounts) throw error;
    tell('error', `${error.message}; the best model before that was kept`);
    return best ? best.beforeFailure(removeDead(separateBatchNorm(taught.graph))) : graph;
  }
}

function rescueWords({ step, from, rateFactor }: RescueEvent): string {
  return `it diverged at step ${step} and went on from step ${from} at ${rateFactor} of the learning rate`;
}

/** What is trained on what. */
interface Taught {
  readonly graph: Graph;
  readonly regressors: readonly string[];
  readonly dataset: Dataset;
  readonly options: Pick<TrainOptions, 'loss' | 'schedules'>;
}

/** Training by labels, teacher or both. */
async function teach(
  graph: Graph,
  samples: Dataset,
  options: RecoveryOptions,
  { data, teacher, evaluate, seed }: MethodContext,
): Promise<Taught> {
  const labels = samples.hasLabels && options.labels === 'use';
  const scaleOf = (net: Graph) => logitScale(inferShapes(net).graph, data.calibration, evaluate);
  const scales = { student: await scaleOf(graph), teacher: await scaleOf(teacher) };
  if (options.distillation.mode !== 'off') {
    const context = { labels, seed, scales };
    const { loss, schedules, ...plan } = planDistillation(graph, teacher, options.distillation, context);
    const dataset = withTeacher(samples, plan.teacher, plan.values, evaluate);
    return { graph: plan.graph, regressors: plan.regressors, dataset, options: { loss, schedules } };
  }
  if (labels) {
    const { student: scale } = scales;
    return { ...untaught(graph, samples), options: scale > 1 ? { loss: crossEntropy({ logitScale: scale }) } : {} };
  }
  const found = options.labels === 'ignore' ? 'the option to ignore labels' : `no labels in ${samples.name}`;
  throw new HoneError('E_DATA_MISMATCH', { expected: 'labelled samples where distillation is off', found });
}

function untaught(graph: Graph, dataset: Dataset): Taught {
  return { graph, regressors: [], dataset, options: {} };
}

function scheduleOf({ learningRate, schedule, warmup }: RecoveryOptions): Schedule {
  const course = SCHEDULES[schedule](learningRate);
  return warmup > 0 ? warmUp(course, warmup) : course;
}

/** Adam divides by the size of gradients itself. */
function clipShareOf({ clipShare, optimizer }: RecoveryOptions): Pick<TrainOptions, 'clipShare'> {
  const share = clipShare ?? (optimizer === 'sgd' ? CLIP_SHARE : 0);
  return share > 0 ? { clipShare: share } : {};
}

function optimizerOf({ optimizer, momentum, weightDecay }: RecoveryOptions): Optimizer {
  if (optimizer === 'sgd') return sgd({ momentum, weightDecay });
  return adam({ weightDecay: optimizer === 'adamw' ? weightDecay : 0 });
}

/** The start and the epochs of a training, by their scores. */
interface Best {
  readonly offer: (epoch: number, candidate: Graph) => Promise<void>;
  /** `end`, the graph after the last epoch, or the same with the weights of what goes before it. */
  readonly of: (end: Graph) => Graph;
  /** The start, or the best epoch where that scores higher: what there is when training has failed. */
  readonly beforeFailure: (end: Graph) => Graph;
}

/** Names under which scores are saved beside the weights of the best epoch. */
const SCORES = { start: 'recover.start', best: 'recover.best', end: 'recover.end' } as const;

/**
 * Keeps the weights of the epoch of the highest score, of equal ones of the latest. The end goes before an epoch that
 * scores higher by less than a standard error: the highest of many scores owes that to chance, and what it promises does not
 * come true on other samples. What a killed run has kept is loaded again: epochs that a resumed run repeats give the same
 * scores, so the result is that of an undisturbed run.
 */
async function openBest(start: Graph, { score, data, checkpoints }: MethodContext, key: string): Promise<Best> {
  const saved = await checkpoints?.load(key);
  const savedScore = (name: string) => viewAs(saved!.tensors.get(name)!, 'float64')[0];
  const atStart = saved ? savedScore(SCORES.start) : await score(start);
  let best = saved && { score: savedScore(SCORES.best), weights: saved.tensors };
  let atEnd = saved ? savedScore(SCORES.end) : atStart;
  const withWeights = (graph: Graph, weights: ReadonlyMap<string, Tensor>): Graph => ({
    ...graph,
    initializers: new Map([...graph.initializers].map(([name, tensor]) => [name, weights.get(name) ?? tensor])),
  });
  return {
    offer: async (epoch, candidate) => {
      const graph = removeDead(candidate);
      atEnd = await score(graph);
      if (!best || atEnd >= best.score) best = { score: atEnd, weights: graph.initializers };
      const scores = { start: atStart, best: best.score, end: atEnd };
      const scalars = Object.entries(scores).map(
        ([name, value]) => [SCORES[name as keyof typeof SCORES], tensorFrom('float64', [], [value])] as const,
      );
      await checkpoints?.save(key, { step: epoch, tensors: new Map([...best.weights, ...scalars]) });
    },
    of: (end) => {
      const standsOut = best && best.score > atEnd + standardErrorAtMost(atEnd, data.validation.count);
      const chosen = standsOut ? best!.score : atEnd;
      if (atStart > chosen) return start;
      return standsOut ? withWeights(end, best!.weights) : end;
    },
    beforeFailure: (end) => (best && best.score >= atStart ? withWeights(end, best.weights) : start),
  };
}

/** Largest standard error of a mean of `count` values between 0 and 1: that of shares (Bhatia and Davis, 2000). */
function standardErrorAtMost(mean: number, count: number): number {
  return Math.sqrt((mean * (1 - mean)) / count);
}
