import type { ErrorCode } from '../../core/error-table';
import { BucketCounts } from '../../telemetry/bucket-counts';
import { LatencyHistogram } from '../../telemetry/histogram';
import type { InferenceSample, Latencies, LatencySummary, SinceStart } from '../../telemetry/sample';

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

/** What a span of time saw. */
interface Window extends Latencies {
  /** Length of the span; 0 before the first has passed. */
  readonly windowMs: number;
  readonly failures: number;
  /** The last inferences of the span, oldest first. */
  readonly recent: readonly InferenceSample[];
}

/** Inferences of a window that are kept one by one. */
const RECENT = 64;

const NO_TIMES: RequestTimes = { queueNs: 0, inputNs: 0, computeNs: 0, outputNs: 0 };

/** Statistics of one model's inferences: since the start, and over the last window. */
export class InferenceStatistics {
  private readonly compute = new Latency();
  private readonly queue = new Latency();
  private readonly request = new Latency();
  private readonly sums: { -readonly [K in keyof RequestTimes]: number } = { ...NO_TIMES };
  private readonly failures = new Map<ErrorCode, number>();
  /** Runs by how many requests shared them. */
  private readonly batches = new Map<number, { readonly count: number; readonly ns: number }>();
  private succeeded = 0;
  private failed = 0;
  private failedNs = 0;
  private lastMs = 0;
  private notFinite = 0;
  private closed: Window = { windowMs: 0, failures: 0, compute: null, queue: null, request: null, recent: [] };
  /** Rings of the last times, by number of the inference. */
  private readonly recentQueueNs = new Float64Array(RECENT);
  private readonly recentComputeNs = new Float64Array(RECENT);
  /** Inferences answered, and failures, before this window. */
  private before = 0;
  private failedBefore = 0;

  /** Inferences answered since the start. */
  get count(): number {
    return this.succeeded;
  }

  /** Records an answered request. Allocates nothing. */
  record(times: RequestTimes, wallMs: number): void {
    this.queue.record(times.queueNs);
    this.compute.record(times.computeNs);
    this.request.record(times.queueNs + times.inputNs + times.computeNs + times.outputNs);
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

  /** Records NaN and infinities that were answered as bits. */
  recordNonFinite(elements: number): void {
    this.notFinite += elements;
  }

  /** Ends the window of the last `windowMs` milliseconds; the next one begins. */
  closeWindow(windowMs: number): void {
    const recent = this.takeRecent();
    this.closed = {
      windowMs,
      failures: this.failed - this.failedBefore,
      compute: this.compute.closeWindow(),
      queue: this.queue.closeWindow(),
      request: this.request.closeWindow(),
      recent,
    };
    this.failedBefore = this.failed;
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

  get since(): SinceStart {
    return {
      failures: this.failed,
      failuresByCode: Object.fromEntries(this.failures),
      nonFinite: this.notFinite,
      compute: this.compute.since.summary(),
      queue: this.queue.since.summary(),
      request: this.request.since.summary(),
    };
  }

  /** Counts since the start by decimal buckets. */
  get buckets(): { readonly [K in keyof Latencies]: BucketCounts } {
    return { compute: this.compute.buckets, queue: this.queue.buckets, request: this.request.buckets };
  }

  /** Runs of the engine; several requests can share one. */
  get runs(): number {
    return [...this.batches.values()].reduce((sum, { count }) => sum + count, 0);
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
    const total = sums.queueNs + sums.inputNs + sums.computeNs + sums.outputNs;
    return {
      name: model,
      version,
      last_inference: this.lastMs,
      inference_count: count,
      execution_count: this.runs,
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

/** One phase of requests, over the open window and since the start. */
class Latency {
  readonly since = new LatencyHistogram();
  readonly buckets = new BucketCounts();
  private readonly window = new LatencyHistogram();

  record(ns: number): void {
    this.window.record(ns);
    this.since.record(ns);
    this.buckets.record(ns);
  }

  closeWindow(): LatencySummary | null {
    const summary = this.window.summary();
    this.window.reset();
    return summary;
  }
}
