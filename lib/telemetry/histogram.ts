import type { LatencySummary } from './sample';

/** Values below this are counted one by one; above, each power of two has this many buckets (1.6 % resolution). */
const SUB_BUCKETS = 64;

/**
 * Log-linear histogram of non-negative integers (nanoseconds), after Tene's HdrHistogram: constant memory, constant time to
 * record, relative error of a percentile at most 1/64.
 */
export class LatencyHistogram {
  /** Whole numbers that no run of years overflows. */
  private readonly counts = new Float64Array(SUB_BUCKETS * 42);
  private total = 0;
  private sum = 0;
  private largest = 0;

  get count(): number {
    return this.total;
  }

  record(valueNs: number): void {
    const value = Math.max(0, Math.round(valueNs));
    this.counts[bucketOf(value)]++;
    this.total++;
    this.sum += value;
    this.largest = Math.max(this.largest, value);
  }

  /** Smallest recorded value (to the resolution) that at least `fraction` of the records do not exceed; NaN when empty. */
  percentile(fraction: number): number {
    const wanted = Math.max(1, Math.ceil(fraction * this.total));
    let seen = 0;
    for (let bucket = 0; bucket < this.counts.length; bucket++) {
      seen += this.counts[bucket];
      if (seen >= wanted) return Math.min(upperEdge(bucket), this.largest);
    }
    return Number.NaN;
  }

  /** Percentiles in microseconds, or null when nothing was recorded. */
  summary(): LatencySummary | null {
    if (this.total === 0) return null;
    return {
      count: this.total,
      meanUs: this.sum / this.total / 1000,
      p50Us: this.percentile(0.5) / 1000,
      p90Us: this.percentile(0.9) / 1000,
      p99Us: this.percentile(0.99) / 1000,
      maxUs: this.largest / 1000,
    };
  }

  reset(): void {
    this.counts.fill(0);
    this.total = 0;
    this.sum = 0;
    this.largest = 0;
  }
}

function bucketOf(value: number): number {
  if (value < SUB_BUCKETS) return value;
  const exponent = Math.min(Math.floor(Math.log2(value)), 46);
  const shift = exponent - Math.log2(SUB_BUCKETS);
  const sub = Math.min(Math.floor(value / 2 ** shift) - SUB_BUCKETS, SUB_BUCKETS - 1);
  return Math.min(SUB_BUCKETS * (shift + 1) + Math.max(sub, 0), SUB_BUCKETS * 42 - 1);
}

/** Largest value that falls into a bucket. */
function upperEdge(bucket: number): number {
  if (bucket < SUB_BUCKETS) return bucket;
  const shift = Math.floor(bucket / SUB_BUCKETS) - 1;
  const sub = (bucket % SUB_BUCKETS) + SUB_BUCKETS;
  return (sub + 1) * 2 ** shift - 1;
}
