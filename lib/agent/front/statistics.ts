import type { ErrorCode } from '../../core/error-table';
import { LatencyHistogram } from '../../telemetry/histogram';
import type { InferenceSample, LatencySummary } from '../../telemetry/sample';

/** Where the time of one answered request went, in nanoseconds. */
export interface RequestTimes {
  /** Waiting for its body and its turn. */
  readonly queueNs: number;
  /** Reading the tensors out of the body. */
  readonly inputNs: number;
  readonly computeNs: number;
  /** Writing the answer. */
  readonly outputNs: number;
}

/** Latencies of a span of time; null while it saw no inference. */
interface Window {
  /** Length of the span; 0 before the first has passed. */
  readonly windowMs: number;
  readonly compute: LatencySummary | null;
  readonly queue: LatencySummary | null;
  /** The last inferences of the span, oldest first. */
  readonly recent: readonly InferenceSample[];
}

/** Inferences of a window that are kept one by one. */
const RECENT = 64;

const NO_TIMES: RequestTimes = { queueNs: 0, inputNs: 0, computeNs: 0, outputNs: 0 };

/** Statistics of one model's inferences: sums since the start, percentiles over the last window. */
export class InferenceStatistics {
  private readonly compute = new LatencyHistogram();
  private readonly queue = new LatencyHistogram();
  private readonly sums: { -readonly [K in keyof RequestTimes]: number } = { ...NO_TIMES };
  private readonly failures = new Map<ErrorCode, number>();
  /** Runs by how many requests shared them. */
  private readonly batches = new Map<number, { readonly count: number; readonly ns: number }>();
  private succeeded = 0;
  private failed = 0;
  private failedNs = 0;
  private lastMs = 0;
  private closed: Window = { windowMs: 0, compute: null, queue: null, recent: [] };
  /** Rings of the last times, by number of the inference. */
  private readonly recentQueueNs = new Float64Array(RECENT);
  private readonly recentComputeNs = new Float64Array(RECENT);
  /** Inferences answered before this window. */
  private before = 0;

  /** Inferences answered since the start. */
  get count(): number {
    return this.succeeded;
  }

  /** Records an answered request. Allocates nothing. */
  record(times: RequestTimes, wallMs: number): void {
    this.queue.record(times.queueNs);
    this.compute.record(times.computeNs);
    this.sums.queueNs += times.queueNs;
    this.sums.inputNs += times.inputNs;
    this.sums.computeNs += times.computeNs;
    this.sums.outputNs += times.outputNs;
    this.recentQueueNs[this.succeeded % RECENT] = times.queueNs;
    this.recentComputeNs[this.succeeded % RECENT] = times.computeNs;
    this.succeeded++;
    this.lastMs = wallMs;
  }

  /** Records one run of so many requests. */
  recordRun(requests: number, computeNs: number): void {
    const { count = 0, ns = 0 } = this.batches.get(requests) ?? {};
    this.batches.set(requests, { count: count + 1, ns: ns + computeNs });
  }

  /** Records a request that was refused or failed, and how long it took. */
  recordFailure(code: ErrorCode, ns: number): void {
    this.failures.set(code, (this.failures.get(code) ?? 0) + 1);
    this.failed++;
    this.failedNs += ns;
  }

  /** Ends the window of the last `windowMs` milliseconds; the next one begins. */
  closeWindow(windowMs: number): void {
    const recent = this.takeRecent();
    this.closed = { windowMs, compute: this.compute.summary(), queue: this.queue.summary(), recent };
    this.compute.reset();
    this.queue.reset();
  }

  private takeRecent(): InferenceSample[] {
    const samples: InferenceSample[] = [];
    for (let index = Math.max(this.before, this.succeeded - RECENT); index < this.succeeded; index++)
      samples.push({
        number: index + 1,
        queueUs: this.recentQueueNs[index % RECENT] / 1000,
        computeUs: this.recentComputeNs[index % RECENT] / 1000,
      });
    this.before = this.succeeded;
    return samples;
  }

  /** The last window that was closed. */
  get window(): Window {
    return this.closed;
  }

  /** The answer to a statistics request (Triton's statistics extension); times are sums in nanoseconds. */
  describe(model: string, version: string): object {
    const { succeeded: count, failed, failedNs, sums } = this;
    const duration = (ns: number) => ({ count, ns: Math.round(ns) });
    const stages = {
      compute_input: duration(sums.inputNs),
      compute_infer: duration(sums.computeNs),
      compute_output: duration(sums.outputNs),
    };
    const runs = [...this.batches.values()].reduce((sum, { count: times }) => sum + times, 0);
    const total = sums.queueNs + sums.inputNs + sums.computeNs + sums.outputNs;
    return {
      name: model,
      version,
      last_inference: this.lastMs,
      inference_count: count,
      execution_count: runs,
      inference_stats: {
        success: duration(total),
        fail: { count: failed, ns: Math.round(failedNs) },
        queue: duration(sums.queueNs),
        ...stages,
      },
      batch_stats: [...this.batches].map(([size, { count: times, ns }]) => ({
        batch_size: size,
        compute_infer: { count: times, ns: Math.round(ns) },
      })),
    };
  }
}
