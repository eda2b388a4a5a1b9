import { HoneError, withHint } from '../core/error';
import { describeCpu } from '../engine/session';
import type { Dataset } from '../ir/dataset';
import type { Tensor } from '../ir/tensor';
import { quantile } from '../telemetry/statistics';
import type { Artifact } from './artifact';
import { carryStates } from './carry-states';
import type { Executor, ExecutorName } from './executor';
import { interruptCheck } from './interrupt';
import { type ExecutorOptions, openExecutor } from './open-executor';
import { randomFeeds } from './random-feeds';
import { openSamples } from './samples';

export interface BenchOptions extends ExecutorOptions {
  /** Interleaved pairs to time after warm-up; 200 when left out. */
  readonly pairs?: number;
  /** Samples to run, one after the other: a path that `openDataset` takes; random numbers when left out. */
  readonly samples?: string;
}

/** Latency of one executor called from JavaScript, in microseconds. */
export interface Latency {
  readonly p50Us: number;
  readonly p90Us: number;
  readonly p99Us: number;
}

/** Latencies of one run. What was not timed is null, and `reasons` says why. */
export interface BenchResult {
  readonly pairs: number;
  readonly threads: number;
  /** What the native kernels may use of this machine; null without them. A ratio holds for such machines. */
  readonly instructionSets: string | null;
  readonly native: Latency | null;
  /** onnxruntime on the same file in the same run. */
  readonly onnxruntime: Latency | null;
  /** Median of native ÷ onnxruntime over the pairs. */
  readonly ratio: number | null;
  readonly reasons: Readonly<Partial<Record<ExecutorName, string>>>;
}

const WARM_UP_PAIRS = 20;
/** Different samples that are run, at most: they are held in memory. */
const MOST_SAMPLES = 64;

/**
 * Latency of the native engine beside onnxruntime on the same file, interleaved run by run; of onnxruntime alone when the
 * options name it.
 * @throws what `openExecutor`, `openSamples` and `randomFeeds` throw; E_INTERRUPTED
 */
export async function bench(artifact: Artifact, options: BenchOptions = {}): Promise<BenchResult> {
  const { pairs = 200, threads = 1, samples, signal } = options;
  const opened = samples === undefined ? undefined : await openSamples(artifact, samples, options);
  const { native, onnxruntime, reasons } = await openBoth(opened?.artifact ?? artifact, options);
  try {
    const first = native ?? onnxruntime!;
    const feeds = opened ? await firstFeeds(opened.dataset) : [randomFeeds(first.inputs, 1, first.indexLimits)];
    const contestants = [native, onnxruntime]
      .filter((each) => each !== undefined)
      .map((each) => ({ executor: carryStates(each, opened?.states ?? new Map()), feeds: feeds.map(each.convert) }));
    const times = { native: new Float64Array(pairs), onnxruntime: new Float64Array(pairs) };
    let pair = -WARM_UP_PAIRS;
    const check = interruptCheck(signal, () => `bench after ${Math.max(pair, 0)} of ${pairs} pairs`);
    for (; pair < pairs; pair++) {
      await check();
      for (const { executor, feeds } of contestants) {
        const us = await timeUs(executor, feeds[(pair + WARM_UP_PAIRS) % feeds.length]);
        if (pair >= 0) times[executor.name][pair] = us;
      }
    }
    const ratios = times.native.map((us, index) => us / times.onnxruntime[index]);
    return {
      pairs,
      threads,
      instructionSets: native ? describeCpu(process.env.HONE_CPU) : null,
      native: native ? latency(times.native) : null,
      onnxruntime: onnxruntime ? latency(times.onnxruntime) : null,
      ratio: native && onnxruntime ? quantile(ratios, 0.5) : null,
      reasons,
    };
  } finally {
    await native?.close();
    await onnxruntime?.close();
  }
}

/** Inputs of the first samples of a dataset. */
async function firstFeeds(dataset: Dataset): Promise<ReadonlyMap<string, Tensor>[]> {
  const chosen = dataset.select(Array.from({ length: Math.min(dataset.count, MOST_SAMPLES) }, (_, index) => index));
  const feeds: ReadonlyMap<string, Tensor>[] = [];
  for await (const { inputs } of chosen.batches({ size: 1 })) feeds.push(inputs);
  return feeds;
}

interface Both {
  readonly native?: Executor;
  readonly onnxruntime?: Executor;
  readonly reasons: BenchResult['reasons'];
}

async function openBoth(artifact: Artifact, options: BenchOptions): Promise<Both> {
  const { threads = 1, executor } = options;
  if (executor === 'onnxruntime')
    return {
      onnxruntime: await openExecutor(artifact, { executor, threads, integerKernels: true }),
      reasons: { native: 'only onnxruntime was asked for' },
    };
  const native = await openExecutor(artifact, options);
  if (artifact.kind === 'plan')
    return { native, reasons: { onnxruntime: 'a plan has no ONNX form; bench the model file to compare' } };
  try {
    return {
      native,
      onnxruntime: await openExecutor(artifact, { executor: 'onnxruntime', threads, integerKernels: true }),
      reasons: {},
    };
  } catch (error) {
    if (error instanceof HoneError && error.code.startsWith('E_REFERENCE'))
      return { native, reasons: { onnxruntime: withHint(error) } };
    await native.close();
    throw error;
  }
}

async function timeUs(executor: Executor, feeds: ReadonlyMap<string, Tensor>): Promise<number> {
  const start = process.hrtime.bigint();
  await executor.run(feeds);
  return Number(process.hrtime.bigint() - start) / 1000;
}

function latency(times: ArrayLike<number>): Latency {
  return { p50Us: quantile(times, 0.5), p90Us: quantile(times, 0.9), p99Us: quantile(times, 0.99) };
}
