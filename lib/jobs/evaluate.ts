import { HoneError } from '../core/error';
import type { PreprocessSpec } from '../core/preprocess';
import { openDataset } from '../data/open-dataset';
import type { Dataset } from '../ir/dataset';
import { type Tensor, toNumbers } from '../ir/tensor';
import { pairedDifference, sqnrDb, wilsonInterval } from '../telemetry/statistics';
import { type Artifact, findSource, openArtifact } from './artifact';
import { type Executor, type ExecutorName, openExecutor } from './executor';

export interface EvaluateOptions {
  /** Labelled samples to judge by: a path that `openDataset` takes. */
  readonly data: string;
  /** Calibration samples, for a float model that is to be compressed first. */
  readonly calibration?: string;
  readonly preprocess?: PreprocessSpec;
  readonly executor?: ExecutorName;
  readonly threads?: number;
  /** The float model to compare with; found by the artifact's metadata when left out. */
  readonly float?: string;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** A number, or why there is none. */
export type Measured<T> =
  | { readonly value: T; readonly reason?: undefined }
  | { readonly value: null; readonly reason: string };

export interface Evaluation {
  readonly executor: ExecutorName;
  readonly samples: number;
  /** Share of samples whose largest output is at the label, 0..1. */
  readonly accuracy: Measured<number>;
  /** 95 % interval of the accuracy (Wilson). */
  readonly accuracyInterval95: Measured<readonly [number, number]>;
  /** Accuracy of the float model on the same samples. */
  readonly floatAccuracy: Measured<number>;
  /** Accuracy lost against float, and the standard error of that difference (paired samples). */
  readonly drop: Measured<{ readonly mean: number; readonly standardError: number }>;
  /** Share of samples where the class is that of the float model, 0..1. */
  readonly agreement: Measured<number>;
  /** Signal to noise of the outputs against the float model, in dB; `Infinity` when equal is given as null. */
  readonly sqnrDb: Measured<number>;
}

/**
 * Accuracy of any artifact on labelled samples, beside its float model run by onnxruntime.
 * @throws what `openArtifact`, `openDataset` and `openExecutor` throw; E_INTERRUPTED
 */
export async function evaluateArtifact(artifact: Artifact, options: EvaluateOptions): Promise<Evaluation> {
  const { data, calibration, float, onProgress, signal, ...rest } = options;
  const executor = await openExecutor(artifact, { ...rest, ...(calibration ? { data: calibration } : {}) });
  let reference: Executor | undefined;
  try {
    const dataset = await openDataset(data, {
      inputs: executor.inputs,
      ...(options.preprocess ? { preprocess: options.preprocess } : {}),
    });
    const source = float === undefined ? await findSource(artifact) : await openArtifact(float);
    let missing = 'reason' in source ? source.reason : '';
    if (!('reason' in source)) {
      try {
        reference = await openExecutor(source, { executor: 'onnxruntime' });
      } catch (error) {
        if (!(error instanceof HoneError) || error.code !== 'E_REFERENCE_MISSING') throw error;
        missing = error.message;
      }
    }
    const results = await runBoth(executor, reference, dataset, onProgress, signal);
    return { executor: executor.name, samples: dataset.count, ...score(results, missing) };
  } finally {
    await executor.close();
    await reference?.close();
  }
}

interface SampleResult {
  readonly label: number | undefined;
  readonly outputs: readonly number[];
  readonly float: readonly number[] | undefined;
}

async function runBoth(
  executor: Executor,
  reference: Executor | undefined,
  dataset: Dataset,
  onProgress: EvaluateOptions['onProgress'],
  signal: AbortSignal | undefined,
): Promise<SampleResult[]> {
  const results: SampleResult[] = [];
  for await (const batch of dataset.batches({ size: 1 })) {
    if (signal?.aborted) throw new HoneError('E_INTERRUPTED', { what: `evaluation after ${results.length} samples` });
    results.push({
      label: batch.labels?.[0],
      outputs: firstOutput(await executor.run(batch.inputs), executor),
      float: reference && firstOutput(await reference.run(batch.inputs), reference),
    });
    onProgress?.(results.length, dataset.count);
  }
  return results;
}

function firstOutput(outputs: ReadonlyMap<string, Tensor>, executor: Executor): number[] {
  return toNumbers(outputs.get(executor.outputs[0])!);
}

function score(results: readonly SampleResult[], missing: string): Omit<Evaluation, 'executor' | 'samples'> {
  const labelled = results.every(({ label }) => label !== undefined);
  const hits = results.map(({ outputs, label }) => Number(largest(outputs) === label));
  const correct = hits.reduce((sum, hit) => sum + hit, 0);
  const none = { value: null, reason: 'the data has no labels' } as const;
  const accuracy = labelled ? { value: correct / results.length } : none;
  const accuracyInterval95 = labelled ? { value: wilsonInterval(correct, results.length) } : none;
  if (results.some(({ float }) => float === undefined)) {
    const absent = { value: null, reason: missing } as const;
    return { accuracy, accuracyInterval95, floatAccuracy: absent, drop: absent, agreement: absent, sqnrDb: absent };
  }
  const floatHits = results.map(({ float, label }) => Number(largest(float!) === label));
  const agreeing = results.filter(({ outputs, float }) => largest(outputs) === largest(float!)).length;
  const ratio = sqnrDb(
    results.flatMap(({ float }) => float!),
    results.flatMap(({ outputs }) => outputs),
  );
  return {
    accuracy,
    accuracyInterval95,
    floatAccuracy: labelled ? { value: floatHits.reduce((sum, hit) => sum + hit, 0) / results.length } : none,
    drop: labelled ? { value: negate(pairedDifference(floatHits, hits)) } : none,
    agreement: { value: agreeing / results.length },
    sqnrDb: Number.isFinite(ratio) ? { value: ratio } : { value: null, reason: 'the outputs are equal' },
  };
}

function negate({ mean, standardError }: { mean: number; standardError: number }) {
  return { mean: mean === 0 ? 0 : -mean, standardError };
}

/** Index of the largest element; the first of equals. */
export function largest(values: readonly number[]): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}
