/** Weight of a new value in the running mean and the running deviation, as RFC 6298 has them for round trips. */
const MEAN_WEIGHT = 1 / 8;
const DEVIATION_WEIGHT = 1 / 4;

/**
 * How fast a model works off its queue: a running mean of the time per request, with its deviation (the estimator of RFC 6298,
 * section 2). It counts what a request waits for cores that other models hold, but not what it waits for those before it.
 */
export class Pace {
  private mean = 0;
  private deviation = 0;
  private seen = false;
  private lastEndNs = 0;

  /** What one request takes, before any was seen. */
  seed(ns: number): void {
    if (this.seen || ns === 0) return;
    this.mean = ns;
    this.deviation = ns / 2;
  }

  /** Records `count` requests that ended together; the first of them waited since `readyNs`. */
  record(readyNs: number, endNs: number, count: number): void {
    const ns = (endNs - Math.max(readyNs, this.lastEndNs)) / count;
    this.lastEndNs = endNs;
    if (this.seen) {
      this.deviation += DEVIATION_WEIGHT * (Math.abs(ns - this.mean) - this.deviation);
      this.mean += MEAN_WEIGHT * (ns - this.mean);
    } else {
      this.mean = ns;
      this.deviation = ns / 2;
      this.seen = true;
    }
  }

  /** Nanoseconds after which `count` requests will have ended, with some reserve; 0 where nothing is known. */
  estimate(count: number): number {
    // Deviations of requests that follow each other partly even out: their sum grows as the root of their number.
    return count * this.mean + 2 * Math.sqrt(count) * this.deviation;
  }
}
