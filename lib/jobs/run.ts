import { HoneError } from '../core/error';
import type { PreprocessSpec } from '../core/preprocess';
import type { Dataset } from '../ir/dataset';
import type { Tensor } from '../ir/tensor';
import type { Artifact } from './artifact';
import { type ExecutorOptions, openExecutor } from './executor';
import { randomFeeds } from './random-feeds';
import { openSamples } from './samples';

export interface RunOptions extends Omit<ExecutorOptions, 'data'> {
  /** Calibration samples, for a float model that is to be compressed first. */
  readonly calibration?: string;
  /** Where the sample comes from; random numbers of `seed` when left out. */
  readonly input?: string;
  /** Index of the sample in `input`. */
  readonly sample?: number;
  readonly seed?: number;
  readonly preprocess?: PreprocessSpec;
}

/**
 * Outputs of one sample, by name.
 * @throws what `openExecutor` and `openSamples` throw; E_OPTION_VALUE for a sample that is not there
 */
export async function runOnce(artifact: Artifact, options: RunOptions): Promise<ReadonlyMap<string, Tensor>> {
  const { calibration, input, sample = 0, seed = 0, ...rest } = options;
  const opened = input === undefined ? undefined : await openSamples(artifact, input, options);
  const chosen = opened && requireSample(opened.dataset, sample);
  const executor = await openExecutor(opened?.artifact ?? artifact, {
    ...rest,
    ...(calibration ? { data: calibration } : {}),
  });
  try {
    const { inputs, indexLimits } = executor;
    if (chosen === undefined) return await executor.run(randomFeeds(inputs, seed, indexLimits));
    return await executor.run(await feedsOf(chosen));
  } finally {
    await executor.close();
  }
}

/** The one sample at an index. @throws E_OPTION_VALUE when it is not there */
function requireSample(dataset: Dataset, index: number): Dataset {
  if (index >= 0 && index < dataset.count) return dataset.select([index]);
  throw new HoneError('E_OPTION_VALUE', { option: '--sample', expected: `0 to ${dataset.count - 1}`, found: index });
}

async function feedsOf(sample: Dataset): Promise<ReadonlyMap<string, Tensor>> {
  for await (const batch of sample.batches({ size: 1 })) return batch.inputs;
  throw new HoneError('E_DATA_EMPTY', { path: sample.name });
}
