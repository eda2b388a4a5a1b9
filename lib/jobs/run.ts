import { HoneError } from '../core/error';
import type { PreprocessSpec } from '../core/preprocess';
import { Rng } from '../core/rng';
import { openDataset } from '../data/open-dataset';
import type { ValueType } from '../ir/graph';
import { elementCount, type Tensor, tensorFrom } from '../ir/tensor';
import type { Artifact } from './artifact';
import { type Executor, type ExecutorOptions, openExecutor } from './executor';

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

/** Outputs of one sample. @throws what `openExecutor` and `openDataset` throw; E_OPTION_VALUE for a sample that is not there */
export async function runOnce(artifact: Artifact, options: RunOptions): Promise<ReadonlyMap<string, Tensor>> {
  const { calibration, input, sample = 0, seed = 0, ...rest } = options;
  const executor = await openExecutor(artifact, { ...rest, ...(calibration ? { data: calibration } : {}) });
  try {
    const feeds =
      input === undefined ? randomFeeds(executor, seed) : await sampleFeeds(executor, input, sample, options);
    return await executor.run(feeds);
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

/** Seeded inputs of the right types and shapes: standard normal floats, uniform integers. Symbols become 1. */
export function randomFeeds(
  { inputs }: { readonly inputs: ReadonlyMap<string, ValueType> },
  seed: number,
): Map<string, Tensor> {
  const rng = new Rng(seed);
  return new Map(
    [...inputs].map(([name, { type, shape }]) => {
      const dims = (shape ?? []).map((dim) => (typeof dim === 'number' ? dim : 1));
      const draw = DRAWS[type];
      if (draw === undefined)
        throw new HoneError('E_INPUT_TYPE', { name, expected: 'a type that random numbers exist for', found: type });
      const values = Array.from({ length: elementCount(dims) }, () => draw(rng));
      return [name, tensorFrom(type as 'float32', dims, values)] as const;
    }),
  );
}

const DRAWS: Readonly<Record<string, (rng: Rng) => number>> = {
  float32: (rng) => rng.normal(),
  uint8: (rng) => rng.integer(0, 255),
  int8: (rng) => rng.integer(-128, 127),
  int32: (rng) => rng.integer(0, 255),
  int64: (rng) => rng.integer(0, 255),
};
