import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { countMacs } from '../compress/count-macs';
import { formatDiagnostics } from '../core/diagnostic';
import { HoneError } from '../core/error';
import type { PreprocessSpec } from '../core/preprocess';
import { type AugmentOptions, augment } from '../data/augment';
import { holdOut } from '../data/hold-out';
import { version } from '../engine/version';
import type { Dataset } from '../ir/dataset';
import type { Graph } from '../ir/graph';
import { writeModel } from '../onnx/write-model';
import { bindToSamples } from '../passes/bind-inputs';
import { prepare } from '../passes/pipeline';
import { upgrade } from '../passes/upgrade';
import { createReferenceEvaluate } from '../reference/evaluate';
import { adam } from '../train/adam';
import { separateBatchNorm } from '../train/batch-norm';
import { keepDropout, restDropout } from '../train/dropout';
import { crossEntropy } from '../train/losses';
import type { RescueEvent } from '../train/rescue';
import { SCHEDULES, type ScheduleName } from '../train/schedules';
import { sgd } from '../train/sgd';
import { train } from '../train/train';
import type { TrainState } from '../train/train-options';
import type { ModelArtifact } from './artifact';
import { loadCheckpoint, saveCheckpoint } from './checkpoint';
import { encodeModel } from './encode-model';
import { hashData } from './hash-data';
import { requireFloat } from './make-plan';
import { openRecorded, requireClasses } from './samples';
import { type EpochReport, openJudge, openRun } from './training-run';
import { requireWritable, writeFileAtomically } from './write-file';

/** Optimisers by the names that options use; `weightDecay` pulls weights towards zero. */
export const OPTIMIZERS = {
  sgd: (weightDecay: number) => sgd({ weightDecay }),
  nesterov: (weightDecay: number) => sgd({ weightDecay, nesterov: true }),
  adamw: (weightDecay: number) => adam({ weightDecay }),
} as const;

/** What decides the result of a training, together with model and samples. */
export interface TrainingSettings {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly schedule: ScheduleName;
  readonly optimizer: keyof typeof OPTIMIZERS;
  readonly weightDecay: number;
  readonly labelSmoothing: number;
  /** Largest norm of a tensor's gradient as a share of the tensor's; 0: no limit. */
  readonly clipShare: number;
  readonly augment: AugmentOptions;
  readonly seed: number;
  /** How pictures become inputs. */
  readonly preprocess?: PreprocessSpec;
}

export interface TrainModelOptions {
  readonly settings: TrainingSettings;
  /** Labelled samples: a path that `openDataset` takes. */
  readonly data: string;
  /** Labelled samples that choose the best epoch; a tenth of the others when left out. */
  readonly validation?: string;
  /** File to write; the checkpoint stands beside it. */
  readonly target: string;
  /** Steps between two checkpoints; about half a minute of work when left out. */
  readonly checkpointEvery?: number;
  readonly onProgress?: (progress: { step: number; steps: number; resumedFrom: number }) => void;
  readonly onEpoch?: (epoch: EpochReport) => void;
  /** Called when training diverged and goes on from the last good state at a lower rate. */
  readonly onRescue?: (event: RescueEvent) => void;
  readonly signal?: AbortSignal;
}

export interface TrainReport {
  readonly path: string;
  readonly sizeBytes: number;
  readonly samples: { readonly training: number; readonly validation: number };
  readonly seed: number;
  readonly epochs: readonly EpochReport[];
  /** The epoch whose weights were written. */
  readonly best: EpochReport;
  /** Step of the checkpoint that this run went on from; null for a run from the start. */
  readonly resumedFrom: number | null;
  /** Whether it was stopped before the end; the same command goes on then. */
  readonly interrupted: boolean;
}

/** Part of the training samples that is held out when no validation samples are given. */
const HELD_OUT = { share: 0.1, most: 5000 };
/** Work that a checkpoint may lose: half a minute at this many multiply-accumulates per second. */
const CHECKPOINT_MACS = 30 * 2.5e10;

/**
 * Trains a float model on labelled samples, keeps the epoch that is best on the validation samples, and writes it. A checkpoint
 * beside the output lets a run that was stopped in any way go on to the same bytes, as long as model, samples and settings
 * are the same; it is removed at the end. When the signal aborts or training fails, the best epoch so far is written.
 * @throws E_INTERRUPTED before the first epoch has ended, E_CHECKPOINT for a damaged checkpoint, E_OPTION_VALUE for a quantized
 * model, and what `openDataset`, `train` and `writeFileAtomically` throw
 */
export async function trainModel(model: ModelArtifact, options: TrainModelOptions): Promise<TrainReport> {
  const { settings, target, signal } = options;
  requireFloat(model, 'train');
  await requireWritable(target);
  const { training, validation } = await openParts(model, options);
  const graph = prepareForTraining(bindToSamples(model.graph, training.inputs));
  const checkpointPath = `${target}.checkpoint`;
  const key = await keyOf(model, options);
  const found = await loadCheckpoint(checkpointPath);
  const saved = found?.note.key === key ? found : undefined;
  const judge = openJudge(validation, graph, signal);
  const stepsPerEpoch = Math.floor(training.count / settings.batchSize);
  const run = await openRun(graph, { saved, judge, stepsPerEpoch, onEpoch: options.onEpoch });
  const save = (state: TrainState) => saveCheckpoint(checkpointPath, run.withBest(state), { key, ...run.progress() });
  const reference = createReferenceEvaluate();
  const write = async (): Promise<number> => {
    const bytes = encodeModel(restDropout(run.bestGraph()), model);
    await writeFileAtomically(target, bytes);
    return bytes.length;
  };
  let interrupted = false;
  try {
    await train(
      graph,
      augment(training, settings.augment),
      {
        ...trainOptions(settings),
        checkpoint: { everySteps: options.checkpointEvery ?? stepsBetweenCheckpoints(graph, settings.batchSize), save },
        onProgress: ({ step, steps, loss }) => {
          run.addLoss(loss);
          options.onProgress?.({ step, steps, resumedFrom: saved?.state.step ?? 0 });
        },
        onEpoch: run.endEpoch,
        ...(options.onRescue && { onRescue: options.onRescue }),
        ...(saved && { resume: saved.state }),
        ...(signal && { signal }),
      },
      reference.evaluate,
    );
  } catch (error) {
    const reached = run.best().epoch > 0;
    interrupted = error instanceof HoneError && error.code === 'E_INTERRUPTED' && reached;
    if (!interrupted) {
      if (reached) await write();
      throw error;
    }
  } finally {
    await reference.close();
  }
  const sizeBytes = await write();
  if (!interrupted) await rm(checkpointPath, { force: true });
  return {
    path: target,
    sizeBytes,
    samples: { training: training.count, validation: validation.count },
    seed: settings.seed,
    epochs: run.progress().epochs,
    best: run.best(),
    resumedFrom: saved?.state.step ?? null,
    interrupted,
  };
}

function prepareForTraining(graph: Graph): Graph {
  const upgraded = upgrade(graph);
  const prepared = prepare(keepDropout(upgraded.graph), { batchNorm: 'keep' });
  const diagnostics = [...upgraded.diagnostics, ...prepared.diagnostics].filter(({ severity }) => severity === 'error');
  if (diagnostics.length > 0)
    throw new HoneError('E_OPERATOR_UNSUPPORTED', {
      count: diagnostics.length,
      what: 'training',
      diagnostics: formatDiagnostics(diagnostics),
    });
  return separateBatchNorm(prepared.graph);
}

/** @throws E_DATA_MISMATCH when samples have no labels */
async function openParts(
  model: ModelArtifact,
  { data, validation, settings: { preprocess }, signal }: TrainModelOptions,
): Promise<{ training: Dataset; validation: Dataset }> {
  const open = async (path: string): Promise<Dataset> => {
    const { artifact, dataset } = await openRecorded(model, path, { preprocess, signal });
    if (dataset.hasLabels) return requireClasses(artifact, dataset);
    throw new HoneError('E_DATA_MISMATCH', { expected: `labels in ${path}`, found: 'none' });
  };
  const all = await open(data);
  if (validation !== undefined) return { training: all, validation: await open(validation) };
  const { kept, taken } = holdOut(all, { ...HELD_OUT, names: { taken: 'validation samples', from: data } });
  return { training: kept, validation: taken };
}

function trainOptions(settings: TrainingSettings) {
  const { epochs, batchSize, seed, labelSmoothing, clipShare } = settings;
  return {
    epochs,
    batchSize,
    seed,
    learningRate: SCHEDULES[settings.schedule](settings.learningRate),
    optimizer: OPTIMIZERS[settings.optimizer](settings.weightDecay),
    loss: crossEntropy({ labelSmoothing }),
    ...(clipShare > 0 && { clipShare }),
  };
}

/** Text that changes with everything that decides the result. */
async function keyOf(model: ModelArtifact, { settings, data, validation }: TrainModelOptions): Promise<string> {
  const weights = createHash('sha256').update(writeModel(model.graph)).digest('hex');
  const samples = [await hashData(data), validation === undefined ? null : await hashData(validation)];
  return createHash('sha256')
    .update(JSON.stringify([version(), weights, samples, settings]))
    .digest('hex');
}

/**
 * Steps between two checkpoints, 1 to 10 000: as many as `CHECKPOINT_MACS` takes. Depends on the network alone: when a run writes
 * must not depend on how fast it goes.
 */
export function stepsBetweenCheckpoints(graph: Graph, batchSize: number): number {
  const macs = 3 * countMacs(graph) * batchSize;
  return Math.max(1, Math.min(10_000, Math.round(CHECKPOINT_MACS / macs)));
}
