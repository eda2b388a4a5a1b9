/** Upper bounds in nanoseconds: 10 µs to 50 s in steps of 1, 2, 5. */
const BOUNDS_NS = [4, 5, 6, 7, 8, 9, 10].flatMap((power) => [1, 2, 5].map((step) => step * 10 ** power));

/** Counts of latencies by decimal buckets, for histograms that others add up over time and machines. Exact at every bound. */
export class BucketCounts {
  /** Values within each bound but not within the one before; the last: above all. */
  private readonly counts = new Float64Array(BOUNDS_NS.length + 1);
  private sum = 0;
  private total = 0;

  get count(): number {
    return this.total;
  }

  get sumNs(): number {
    return this.sum;
  }

  record(valueNs: number): void {
    let bucket = 0;
    while (bucket < BOUNDS_NS.length && valueNs > BOUNDS_NS[bucket]) bucket++;
    this.counts[bucket]++;
    this.sum += valueNs;
    this.total++;
  }

  /** How many values were at most so large, by rising bounds; the last bound is Infinity. */
  cumulative(): { readonly upToNs: number; readonly count: number }[] {
    let count = 0;
    return [...BOUNDS_NS, Number.POSITIVE_INFINITY].map((upToNs, bucket) => {
      count += this.counts[bucket];
      return { upToNs, count };
    });
  }
}
