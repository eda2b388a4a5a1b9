import { Histogram } from '../telemetry/histogram';
import type { LatencySummary } from '../telemetry/sample';

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
}

const NO_TIMES: RequestTimes = { queueNs: 0, inputNs: 0, computeNs: 0, outputNs: 0 };

/** Statistics of one model's inferences: sums since the start, percentiles over the last window. */
export class InferenceStatistics {
  private readonly compute = new Histogram();
  private readonly queue = new Histogram();
  private readonly sums: { -readonly [K in keyof RequestTimes]: number } = { ...NO_TIMES };
  private succeeded = 0;
  private failed = 0;
  private failedNs = 0;
  private lastMs = 0;
  private closed: Window = { windowMs: 0, compute: null, queue: null };

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
    this.succeeded++;
    this.lastMs = wallMs;
  }

  /** Records a refused request and how long it took. */
  recordFailure(ns: number): void {
    this.failed++;
    this.failedNs += ns;
  }

  /** Ends the window of the last `windowMs` milliseconds; the next one begins. */
  closeWindow(windowMs: number): void {
    this.closed = { windowMs, compute: this.compute.summary(), queue: this.queue.summary() };
    this.compute.reset();
    this.queue.reset();
  }

  /** The last window that was closed. */
  get window(): Window {
    return this.closed;
  }

  /** The answer to a statistics request (Triton's statistics extension); times are sums in nanoseconds. */
  describe(model: string): object {
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
      version: '1',
      last_inference: this.lastMs,
      inference_count: count,
      execution_count: count,
      inference_stats: {
        success: duration(total),
        fail: { count: failed, ns: Math.round(failedNs) },
        queue: duration(sums.queueNs),
        ...stages,
      },
      batch_stats: count === 0 ? [] : [{ batch_size: 1, ...stages }],
    };
  }
}
