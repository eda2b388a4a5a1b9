import { HoneError } from '../../core/error';
import type { Observer, SampleSpan } from './observer';
import { BIN_BITS, BINS_PER_PAGE, NEGATIVE, Tally } from './tally';

/** Bins that a view of the data gets at most where it is not wider than the view. */
const VIEW_BINS = 2048;
const MIN_EXPONENT = -149;

/** Bins that hold at least one element other than zero, in rising order. */
export interface FilledBins {
  /** Middle of each bin, moved inside the exact minimum and maximum. */
  readonly centers: Float64Array;
  readonly counts: Float64Array;
  /** Width of the bins inside the range that was asked for: all but those next to zero may be finer, those beyond are wider. */
  readonly width: number;
}

/** What one sample holds of a value. */
export interface SampleExtent {
  /** Smallest and largest element, zero included. */
  readonly low: number;
  readonly high: number;
  /** Sum of squares. */
  readonly power: number;
  /** Elements that are not zero. */
  readonly count: number;
}

/** The bins that hold elements other than zero, in rising order. */
interface Bins {
  readonly starts: Float64Array;
  readonly ends: Float64Array;
  readonly counts: Float64Array;
}

/**
 * Streaming histogram of a value whose range is not known beforehand. A bin holds the numbers with the same sign, exponent and
 * first ten bits of the significand, so that one element far from all others takes nothing away from the resolution among these.
 * The result depends only on the multiset of the elements seen: not on their order, nor on how they were cut into batches.
 * Zeros are counted apart, because every quantization represents them exactly. Of every sample its extremes are kept.
 */
export class ValueHistogram implements Observer {
  /** Smallest and largest element; infinite before the first one. */
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  /** Elements seen, zeros included. */
  count = 0;
  /** Extents by index of the sample; a value of which samples cannot be told apart has none. */
  readonly samples: SampleExtent[] = [];
  private readonly value: string;
  private readonly tally: Tally;
  /** Elements per bin, of the pages that hold any. */
  private readonly pages = new Map<number, Float64Array>();
  private sorted: Bins | undefined;
  private readonly views = new Map<number, FilledBins>();

  /** `value`: name of what is observed, for messages; `tally`: an empty one, which histograms that take turns can share. */
  constructor(value: string, tally = new Tally()) {
    this.value = value;
    this.tally = tally;
  }

  /** Elements that were zero (or below 2e-41); they are in no bin. */
  get zeros(): number {
    return (this.pages.get(0)?.[0] ?? 0) + (this.pages.get(NEGATIVE)?.[0] ?? 0);
  }

  /** Elements in the order of their samples; without `samples` they belong to all of them alike (constants). */
  observe(data: Float32Array, _dims?: readonly number[], samples?: SampleSpan): void {
    const size = samples ? data.length / samples.count : 0;
    const apart = samples !== undefined && Number.isInteger(size);
    this.sorted = undefined;
    this.views.clear();
    if (!apart) this.add(data);
    else
      for (let i = 0; i < samples.count; i++) {
        const extent = this.add(data.subarray(i * size, (i + 1) * size));
        const known = this.samples[samples.first + i];
        this.samples[samples.first + i] = known ? joined(known, extent) : extent;
      }
    this.tally.handOver((page) => this.pageOf(page));
    this.count += data.length;
  }

  /**
   * The bins in use. Between the ends of `range` they are at least as wide as makes 2,048 of them span it; neighbours in one such
   * width are joined.
   */
  filledBins(range: { readonly low: number; readonly high: number } = { low: this.min, high: this.max }): FilledBins {
    const exponent = exponentFor(range.low, range.high);
    const known = this.views.get(exponent);
    if (known) return known;
    const view = this.binsOfWidth(2 ** exponent);
    this.views.set(exponent, view);
    return view;
  }

  /** The number with `below` elements under it, the elements of a bin being spread evenly over it. */
  quantile(below: number): number {
    if (below <= 0) return this.min;
    if (below >= this.count) return this.max;
    const { starts, ends, counts } = this.bins();
    let [seen, zeros] = [0, this.zeros];
    for (let i = 0; i < starts.length; i++) {
      if (starts[i] >= 0 && zeros > 0) {
        seen += zeros;
        if (seen >= below) return 0;
        zeros = 0;
      }
      seen += counts[i];
      if (seen >= below) return this.inside(ends[i] - ((seen - below) / counts[i]) * (ends[i] - starts[i]));
    }
    return zeros > 0 ? 0 : this.max;
  }

  /** Counts the elements of one sample. */
  private add(data: Float32Array): SampleExtent {
    const { min, max, power, zeros } = this.tally.count(data);
    if (!Number.isFinite(power)) throw this.notFinite(data);
    if (min < this.min) this.min = min;
    if (max > this.max) this.max = max;
    return { low: Math.min(min, 0), high: Math.max(max, 0), power, count: data.length - zeros };
  }

  private pageOf(page: number): Float64Array {
    const known = this.pages.get(page);
    if (known) return known;
    const bins = new Float64Array(BINS_PER_PAGE);
    this.pages.set(page, bins);
    return bins;
  }

  private bins(): Bins {
    if (this.sorted) return this.sorted;
    const size = this.pages.size * BINS_PER_PAGE;
    const [starts, ends, counts] = [new Float64Array(size), new Float64Array(size), new Float64Array(size)];
    let filled = 0;
    const takePage = (page: number) => {
      const [exponent, sign] = page < NEGATIVE ? [page, 1] : [page - NEGATIVE, -1];
      const bins = this.pages.get(page)!;
      // Below the normal numbers the bins go on with the width of the first page.
      const width = 2 ** (Math.max(exponent, 1) - 127 - BIN_BITS);
      const inner = exponent === 0 ? 0 : BINS_PER_PAGE;
      for (let at = 0; at < BINS_PER_PAGE; at++) {
        const i = sign > 0 ? at : BINS_PER_PAGE - 1 - at;
        const count = bins[i];
        if (count === 0 || inner + i === 0) continue;
        const edge = sign * (inner + i) * width;
        starts[filled] = sign > 0 ? edge : edge - width;
        ends[filled] = sign > 0 ? edge + width : edge;
        counts[filled++] = count;
      }
    };
    const inUse = [...this.pages.keys()].sort((a, b) => a - b);
    for (const page of inUse.filter((each) => each >= NEGATIVE).reverse()) takePage(page);
    for (const page of inUse.filter((each) => each < NEGATIVE)) takePage(page);
    const part = (array: Float64Array) => array.subarray(0, filled);
    this.sorted = { starts: part(starts), ends: part(ends), counts: part(counts) };
    return this.sorted;
  }

  private binsOfWidth(width: number): FilledBins {
    const { starts, ends, counts } = this.bins();
    const centers = new Float64Array(starts.length);
    const joint = new Float64Array(starts.length);
    let [filled, last] = [0, Number.NaN];
    for (let i = 0; i < starts.length; i++) {
      const wide = ends[i] - starts[i] >= width;
      const index = Math.floor(starts[i] / width);
      if (!wide && index === last) {
        joint[filled - 1] += counts[i];
        continue;
      }
      last = wide ? Number.NaN : index;
      centers[filled] = this.inside(wide ? (starts[i] + ends[i]) / 2 : (index + 0.5) * width);
      joint[filled++] = counts[i];
    }
    return { centers: centers.slice(0, filled), counts: joint.slice(0, filled), width };
  }

  private inside(x: number): number {
    return Math.min(this.max, Math.max(this.min, x));
  }

  private notFinite(data: Float32Array): HoneError {
    const wrong = data.find((x) => !Number.isFinite(x));
    return new HoneError('E_CALIBRATION', {
      value: `'${this.value}'`,
      reason: `a calibration sample makes it ${wrong}`,
    });
  }
}

function joined(a: SampleExtent, b: SampleExtent): SampleExtent {
  return {
    low: Math.min(a.low, b.low),
    high: Math.max(a.high, b.high),
    power: a.power + b.power,
    count: a.count + b.count,
  };
}

/** Smallest exponent `k` at which bins of width `2^k`, aligned at zero, cover both numbers. Grows with the range. */
function exponentFor(low: number, high: number): number {
  const size = Math.max(high - low, Math.abs(low), Math.abs(high));
  let exponent = size > 0 ? Math.max(MIN_EXPONENT, Math.floor(Math.log2(size)) - Math.log2(VIEW_BINS)) : MIN_EXPONENT;
  while (Math.floor(high * 2 ** -exponent) - Math.floor(low * 2 ** -exponent) >= VIEW_BINS) exponent++;
  return exponent;
}
