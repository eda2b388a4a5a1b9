import { HoneError } from '../core/error';
import type { PreprocessSpec } from '../core/preprocess';
import { openDataset } from '../data/open-dataset';
import type { Tensor } from '../ir/tensor';
import type { Artifact } from './artifact';
import { type Executor, type ExecutorOptions, openExecutor } from './executor';
import { randomFeeds } from './random-feeds';

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
 * @throws what `openExecutor` and `openDataset` throw; E_OPTION_VALUE for a sample that is not there
 */
export async function runOnce(artifact: Artifact, options: RunOptions): Promise<ReadonlyMap<string, Tensor>> {
  const { calibration, input, sample = 0, seed = 0, ...rest } = options;
  const executor = await openExecutor(artifact, { ...rest, ...(calibration ? { data: calibration } : {}) });
  try {
    const { inputs, indexLimits } = executor;
    if (input === undefined) return await executor.run(randomFeeds(inputs, seed, indexLimits));
    return await executor.run(await sampleFeeds(executor, input, sample, options));
  } finally {
    await executor.close();
  }
}

async function sampleFeeds(
  executor: Executor,
  path: string,
  index: number,
  options: RunOptions,
): Promise<ReadonlyMap<string, Tensor>> {
  const { preprocess } = options;
  const dataset = await openDataset(path, { inputs: executor.inputs, ...(preprocess ? { preprocess } : {}) });
  if (index < 0 || index >= dataset.count)
    throw new HoneError('E_OPTION_VALUE', { option: '--sample', expected: `0 to ${dataset.count - 1}`, found: index });
  for await (const batch of dataset.select([index]).batches({ size: 1 })) return batch.inputs;
  throw new HoneError('E_DATA_EMPTY', { path });
}
