import { HoneError } from '../core/error';
import type { PreprocessSpec } from '../core/preprocess';
import type { Dataset } from '../ir/dataset';
import type { Tensor } from '../ir/tensor';
import type { Artifact } from './artifact';
import { carryStates } from './carry-states';
import type { Executor } from './executor';
import { type ExecutorOptions, openExecutor } from './open-executor';
import { randomFeeds } from './random-feeds';
import { type OpenedSamples, openSamples } from './samples';

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
  const chosen = opened && requireSample(opened, sample);
  const executor = await openExecutor(opened?.artifact ?? artifact, {
    ...rest,
    ...(calibration ? { data: calibration } : {}),
  });
  try {
    const { inputs, indexLimits } = executor;
    if (chosen === undefined) return await executor.run(randomFeeds(inputs, seed, indexLimits));
    return await runLast(carryStates(executor, opened!.states), chosen);
  } finally {
    await executor.close();
  }
}

/**
 * The sample at an index; with those before it where they make the states that it starts from.
 * @throws E_OPTION_VALUE when it is not there
 */
function requireSample({ dataset, states }: OpenedSamples<Artifact>, index: number): Dataset {
  if (index < 0 || index >= dataset.count)
    throw new HoneError('E_OPTION_VALUE', { option: '--sample', expected: `0 to ${dataset.count - 1}`, found: index });
  const first = states.size === 0 ? index : 0;
  return dataset.select(Array.from({ length: index - first + 1 }, (_, step) => first + step));
}

/** Outputs of the last sample, after all before it. */
async function runLast(executor: Executor, samples: Dataset): Promise<ReadonlyMap<string, Tensor>> {
  let outputs: ReadonlyMap<string, Tensor> | undefined;
  for await (const batch of samples.batches({ size: 1 })) outputs = await executor.run(batch.inputs);
  if (outputs !== undefined) return outputs;
  throw new HoneError('E_DATA_EMPTY', { path: samples.name });
}
