import { HoneError } from '../core/error';
import type { PreprocessSpec } from '../core/preprocess';
import type { Dataset } from '../ir/dataset';
import { type Tensor, toNumbers } from '../ir/tensor';
import { integerKernelsSaturate } from '../reference/saturation';
import { type Artifact, openArtifact } from './artifact';
import { carryStates } from './carry-states';
import { type Executor, type ExecutorName, type ExecutorOptions, openExecutor } from './executor';
import { interruptCheck } from './interrupt';
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
    const score = await scoreAll(carryStates(executor, states), compared, dataset, options);
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
  readonly executor: Executor;
}

/** The float model behind an artifact, run by onnxruntime, or why there is none. */
async function openFloat(artifact: Artifact, path: string | undefined): Promise<Reference | { reason: string }> {
  const source = path === undefined ? await findSource(artifact) : await openArtifact(path);
  if ('reason' in source) return source;
  try {
    return { path: source.path, executor: await openExecutor(source, { executor: 'onnxruntime' }) };
  } catch (error) {
    if (error instanceof HoneError && error.code === 'E_REFERENCE_MISSING') return { reason: error.message };
    throw error;
  }
}

async function scoreAll(
  executor: Executor,
  reference: Reference | { readonly reason: string },
  dataset: Dataset,
  { signal, onProgress }: EvaluateOptions,
): Promise<Score> {
  const scorer = new Scorer(dataset.hasLabels, 'reason' in reference ? reference.reason : undefined);
  const check = interruptCheck(signal, () => `evaluation after ${scorer.samples} of ${dataset.count} samples`);
  for await (const batch of dataset.batches({ size: 1 })) {
    await check();
    const outputs = firstOutput(await executor.run(batch.inputs), executor);
    const float = 'reason' in reference ? undefined : await runFloat(reference, batch.inputs, outputs.length);
    scorer.add(outputs, float, batch.labels?.[0]);
    onProgress?.(scorer.samples, dataset.count);
  }
  return scorer.score();
}

async function runFloat(
  { path, executor }: Reference,
  inputs: ReadonlyMap<string, Tensor>,
  expected: number,
): Promise<number[]> {
  const outputs = firstOutput(await executor.run(inputs), executor);
  if (outputs.length === expected) return outputs;
  throw new HoneError('E_OPTION_VALUE', {
    option: '--float',
    expected: `a model with ${expected} outputs`,
    found: `${path} with ${outputs.length}`,
  });
}

function firstOutput(outputs: ReadonlyMap<string, Tensor>, executor: Executor): number[] {
  const [name] = executor.outputs;
  const output = outputs.get(name)!;
  if (output.type === 'string')
    throw new HoneError('E_OUTPUT_TYPE', { name, expected: 'numbers to compare', found: output.type });
  return toNumbers(output);
}
