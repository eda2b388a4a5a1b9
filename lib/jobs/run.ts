import { HoneError } from '../core/error';
import { notedOutputs, notedPreprocess } from '../core/notes';
import type { OutputSpec } from '../core/output-spec';
import type { Decoded } from '../core/outputs/decode-outputs';
import type { PreprocessSpec } from '../core/preprocess';
import type { Batch, Dataset } from '../ir/dataset';
import type { Tensor } from '../ir/tensor';
import { type Artifact, metadataOf } from './artifact';
import { carryStates } from './carry-states';
import type { Executor } from './executor';
import { meaningOf } from './meaning-of';
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

/** What a model said of one sample. */
export interface RunResult {
  /** Its outputs by name. */
  readonly outputs: ReadonlyMap<string, Tensor>;
  /** What they mean, where the artifact has an output spec. */
  readonly meaning: { readonly spec: OutputSpec; readonly decoded: Decoded } | undefined;
}

/**
 * Outputs of one sample, and what they mean.
 * @throws what `openExecutor`, `openSamples` and `decodeOutputs` throw; E_OPTION_VALUE for a sample that is not there
 */
export async function runOnce(artifact: Artifact, options: RunOptions): Promise<RunResult> {
  const { calibration, input, sample = 0, seed = 0, ...rest } = options;
  const opened = input === undefined ? undefined : await openSamples(artifact, input, options);
  const spec = notedOutputs(metadataOf(artifact));
  const chosen = opened && requireSample(opened, sample, spec);
  const executor = await openExecutor(opened?.artifact ?? artifact, {
    ...rest,
    ...(calibration ? { data: calibration } : {}),
  });
  try {
    const { inputs, indexLimits } = executor;
    const carrying = carryStates(executor, opened?.states ?? new Map());
    const batches = chosen?.batches({ size: 1 }) ?? [{ inputs: randomFeeds(inputs, seed, indexLimits) }];
    const preprocess = options.preprocess ?? notedPreprocess(metadataOf(artifact));
    const found = await runLast(carrying, batches, spec, preprocess);
    if (found !== undefined) return found;
    throw new HoneError('E_DATA_EMPTY', { path: chosen?.name ?? '--input' });
  } finally {
    await executor.close();
  }
}

/**
 * The sample at an index; with those before it where they make what it starts from.
 * @throws E_OPTION_VALUE when it is not there
 */
function requireSample(
  { dataset, states }: OpenedSamples<Artifact>,
  index: number,
  spec: OutputSpec | undefined,
): Dataset {
  if (index < 0 || index >= dataset.count)
    throw new HoneError('E_OPTION_VALUE', { option: '--sample', expected: `0 to ${dataset.count - 1}`, found: index });
  const first = states.size === 0 && spec?.kind !== 'threshold' ? index : 0;
  return dataset.select(Array.from({ length: index - first + 1 }, (_, step) => first + step));
}

type Samples = AsyncIterable<Batch> | Iterable<Pick<Batch, 'inputs' | 'pictures'>>;

/** What the last sample gives, after all before it; undefined without samples. */
async function runLast(
  executor: Executor,
  samples: Samples,
  spec: OutputSpec | undefined,
  preprocess: PreprocessSpec | undefined,
): Promise<RunResult | undefined> {
  let found: RunResult | undefined;
  for await (const { inputs, pictures } of samples) {
    const outputs = await executor.run(inputs);
    const before = found?.meaning?.decoded;
    const seen = { inputs, picture: pictures?.[0], preprocess, before };
    found = { outputs, meaning: spec && { spec, decoded: meaningOf(spec, outputs, seen) } };
  }
  return found;
}
