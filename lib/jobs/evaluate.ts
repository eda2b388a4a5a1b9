import { type Task, taskOf } from '../compress/task';
import { HoneError, withHint } from '../core/error';
import type { PreprocessSpec } from '../core/preprocess';
import type { Dataset } from '../ir/dataset';
import type { Graph } from '../ir/graph';
import { type Tensor, toNumbers } from '../ir/tensor';
import { prepare } from '../passes/pipeline';
import { integerKernelsSaturate } from '../reference/saturation';
import { type Artifact, openArtifact } from './artifact';
import { carryStates } from './carry-states';
import type { Executor, ExecutorName } from './executor';
import { interruptCheck } from './interrupt';
import type { OutputValues } from './merit';
import { type ExecutorOptions, openExecutor } from './open-executor';
import { openSamples, requireClasses } from './samples';
import { type Score, Scorer } from './score';
import { findSource } from './source';

export interface EvaluateOptions extends Omit<ExecutorOptions, 'data' | 'onProgress'> {
  /** Labelled samples to judge by: a path that `openDataset` takes. */
  readonly data: string;
  /** Calibration samples, for a float model that is to be compressed first. */
  readonly calibration?: string;
  readonly preprocess?: PreprocessSpec;
  /** The float model to compare with; found by the artifact's metadata when left out. */
  readonly float?: string;
  /** Called with the number of samples done and in all. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Tells whether onnxruntime's integer kernels saturate here; asked of the machine when left out. */
  readonly saturates?: () => Promise<boolean>;
}

/** How good an artifact is on labelled samples. */
export interface Evaluation extends Score {
  readonly samples: number;
  readonly executor: ExecutorName;
  /**
   * Whether a default session of onnxruntime saturates on this machine and may give other numbers: these are from a form that
   * cannot. Null where onnxruntime did not run a quantized model.
   */
  readonly saturatingHost: boolean | null;
  /** Path of the float model that it was compared with. */
  readonly float: string | null;
}

/**
 * Accuracy of any artifact on labelled samples, beside its float model run by onnxruntime.
 * @throws what `openArtifact`, `openSamples` and `openExecutor` throw; E_OPTION_VALUE for a float model with other outputs;
 * E_INTERRUPTED
 */
export async function evaluateArtifact(artifact: Artifact, options: EvaluateOptions): Promise<Evaluation> {
  const { data, calibration, float, onProgress, saturates = integerKernelsSaturate, ...rest } = options;
  const { artifact: bound, dataset, states } = await openSamples(artifact, data, options);
  requireClasses(bound, dataset);
  const executor = await openExecutor(bound, { ...rest, ...(calibration ? { data: calibration } : {}) });
  let reference: Reference | { readonly reason: string } | undefined;
  try {
    reference = await openFloat(artifact, float);
    // Each has its own states: that is how it will run.
    const compared =
      'reason' in reference ? reference : { ...reference, executor: carryStates(reference.executor, states) };
    const task = taskOfArtifacts([reference, bound], dataset.hasLabels);
    const score = await scoreAll(task, carryStates(executor, states), compared, dataset, options);
    const path = 'reason' in reference ? null : reference.path;
    const integers = executor.name === 'onnxruntime' && artifact.kind === 'model' && artifact.quantized;
    const saturatingHost = integers ? await saturates() : null;
    return { samples: dataset.count, executor: executor.name, saturatingHost, float: path, ...score };
  } finally {
    await executor.close();
    if (reference !== undefined && !('reason' in reference)) await reference.executor.close();
  }
}

interface Reference {
  readonly path: string;
  readonly graph: Graph | undefined;
  readonly executor: Executor;
}

/** The float model behind an artifact, run by onnxruntime, or why there is none. */
async function openFloat(artifact: Artifact, path: string | undefined): Promise<Reference | { reason: string }> {
  const source = path === undefined ? await findSource(artifact) : await openArtifact(path);
  if ('reason' in source) return source;
  try {
    const graph = source.kind === 'model' ? source.graph : undefined;
    return { path: source.path, graph, executor: await openExecutor(source, { executor: 'onnxruntime' }) };
  } catch (error) {
    if (error instanceof HoneError && error.code === 'E_REFERENCE_MISSING') return { reason: withHint(error) };
    throw error;
  }
}

/** The task of the first network whose graph is at hand; without any, one class per sample. */
function taskOfArtifacts(artifacts: readonly object[], labelled: boolean): Task {
  for (const artifact of artifacts)
    if ('graph' in artifact && artifact.graph) return taskOf(prepare(artifact.graph as Graph).graph, labelled);
  return { kind: 'classes' };
}

async function scoreAll(
  task: Task,
  executor: Executor,
  reference: Reference | { readonly reason: string },
  dataset: Dataset,
  { signal, onProgress }: EvaluateOptions,
): Promise<Score> {
  const scorer = new Scorer(task, dataset.hasLabels, 'reason' in reference ? reference.reason : undefined);
  const check = interruptCheck(signal, () => `evaluation after ${scorer.samples} of ${dataset.count} samples`);
  for await (const batch of dataset.batches({ size: 1 })) {
    await check();
    const found = allOutputs(await executor.run(batch.inputs), executor);
    const float = 'reason' in reference ? undefined : await runFloat(reference, batch.inputs, found);
    const tokens = task.kind === 'positions' && task.tokens !== undefined ? batch.inputs.get(task.tokens) : undefined;
    scorer.add({ found, float, label: batch.labels?.[0], tokens: tokens && toNumbers(tokens) });
    onProgress?.(scorer.samples, dataset.count);
  }
  return scorer.score();
}

async function runFloat(
  { path, executor }: Reference,
  inputs: ReadonlyMap<string, Tensor>,
  found: OutputValues,
): Promise<OutputValues> {
  const outputs = allOutputs(await executor.run(inputs), executor);
  const [own, expected] = [outputs, found].map(([first]) => first.values.length);
  if (own === expected && outputs.length >= found.length) return outputs.slice(0, found.length);
  throw new HoneError('E_OPTION_VALUE', {
    option: '--float',
    expected: `a model with ${expected} outputs`,
    found: `${path} with ${own}`,
  });
}

function allOutputs(outputs: ReadonlyMap<string, Tensor>, executor: Executor): OutputValues {
  return executor.outputs.map((name, index) => {
    const { type, dims, ...tensor } = outputs.get(name)!;
    if (type !== 'string') return { values: toNumbers({ type, dims, ...tensor }), dims };
    if (index === 0) throw new HoneError('E_OUTPUT_TYPE', { name, expected: 'numbers to compare', found: type });
    return { values: [], dims };
  });
}
