import { Histogram } from '../telemetry/histogram';
import type { LatencySummary } from '../telemetry/sample';

/** Statistics of one model's inferences: since the start, and over the window since the last look. */
export class InferenceStatistics {
  readonly compute: Histogram = new Histogram();
  readonly queue: Histogram = new Histogram();
  private readonly windowCompute = new Histogram();
  private readonly windowQueue = new Histogram();

  /** Records one inference; times in nanoseconds. Allocates nothing. */
  record(queueNs: number, computeNs: number): void {
    this.queue.record(queueNs);
    this.compute.record(computeNs);
    this.windowQueue.record(queueNs);
    this.windowCompute.record(computeNs);
  }

  /** Percentiles of the window, which starts anew. */
  takeWindow(): { compute: LatencySummary | null; queue: LatencySummary | null } {
    const window = { compute: this.windowCompute.summary(), queue: this.windowQueue.summary() };
    this.windowCompute.reset();
    this.windowQueue.reset();
    return window;
  }
}
