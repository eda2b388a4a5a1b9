import { HoneError } from '../core/error';
import type { Tensor } from '../ir/tensor';
import { quantile } from '../telemetry/statistics';
import type { Artifact } from './artifact';
import { type Executor, type ExecutorOptions, openExecutor } from './executor';
import { randomFeeds } from './run';

export interface BenchOptions extends ExecutorOptions {
  /** Interleaved pairs to time after warm-up. */
  readonly pairs?: number;
  readonly signal?: AbortSignal;
}

/** Latency of one executor called from JavaScript, in microseconds. */
export interface Latency {
  readonly p50Us: number;
  readonly p90Us: number;
  readonly p99Us: number;
}

export interface BenchResult {
  readonly pairs: number;
  readonly threads: number;
  readonly native: Latency;
  /** onnxruntime on the same file in the same run, or why it was not there. */
  readonly onnxruntime: Latency | { readonly reason: string };
  /** Median of native ÷ onnxruntime over the pairs. */
  readonly ratio: number | null;
}

/**
 * Latency of the native engine beside onnxruntime on the same file, interleaved run by run.
 * @throws what `openExecutor` throws; E_INTERRUPTED
 */
export async function bench(artifact: Artifact, options: BenchOptions): Promise<BenchResult> {
  const { pairs = 200, threads = 1, signal } = options;
  const native = await openExecutor(artifact, options);
  const rival = await openRival(artifact, threads);
  try {
    const feeds = randomFeeds(native, 1);
    const times: [number[], number[]] = [[], []];
    for (let pair = -20; pair < pairs; pair++) {
      if (signal?.aborted) throw new HoneError('E_INTERRUPTED', { what: `bench after ${Math.max(pair, 0)} pairs` });
      const nativeUs = await timeUs(native, feeds);
      const rivalUs = 'reason' in rival ? Number.NaN : await timeUs(rival, feeds);
      if (pair < 0) continue;
      times[0].push(nativeUs);
      times[1].push(rivalUs);
    }
    const ratios = times[0].map((us, index) => us / times[1][index]);
    return {
      pairs,
      threads,
      native: latency(times[0]),
      onnxruntime: 'reason' in rival ? rival : latency(times[1]),
      ratio: 'reason' in rival ? null : quantile(ratios, 0.5),
    };
  } finally {
    await native.close();
    if (!('reason' in rival)) await rival.close();
  }
}

async function openRival(artifact: Artifact, threads: number): Promise<Executor | { reason: string }> {
  if (artifact.kind === 'plan') return { reason: 'a plan has no ONNX form; bench the model file to compare' };
  try {
    return await openExecutor(artifact, { executor: 'onnxruntime', threads });
  } catch (error) {
    if (error instanceof HoneError && error.code.startsWith('E_REFERENCE')) return { reason: error.message };
    throw error;
  }
}

async function timeUs(executor: Executor, feeds: ReadonlyMap<string, Tensor>): Promise<number> {
  const start = process.hrtime.bigint();
  await executor.run(feeds);
  return Number(process.hrtime.bigint() - start) / 1000;
}

function latency(times: readonly number[]): Latency {
  return { p50Us: quantile(times, 0.5), p90Us: quantile(times, 0.9), p99Us: quantile(times, 0.99) };
}
