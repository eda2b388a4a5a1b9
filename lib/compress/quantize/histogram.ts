import { HoneError } from '../../core/error';
import type { Observer, SampleSpan } from './observer';

/** Bits of a float32 significand behind the leading one that tell bins apart: 1024 bins between two powers of two. */
const BIN_BITS = 10;
const BINS_PER_PAGE = 2 ** BIN_BITS;
/** A page of bins per sign and exponent, in the order of the bits of a float32. */
const PAGE_COUNT = 512;
const NEGATIVE = PAGE_COUNT / 2;
/** Pages that there is room for at first; most values need no more. */
const FIRST_PAGES = 32;
/** Bits of a float32 that do not matter to the bin. */
const SHIFT = 23 - BIN_BITS;
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
export class Histogram implements Observer {
  /** Smallest and largest element; infinite before the first one. */
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  /** Elements seen, zeros included. */
  count = 0;
  /** Extents by index of the sample; a value of which samples cannot be told apart has none. */
  readonly samples: SampleExtent[] = [];
  private readonly value: string;
  /** Elements per bin; where the bins of each page begin, negative for pages without elements. */
  private counts = new Float64Array(FIRST_PAGES * BINS_PER_PAGE);
  private readonly starts = new Int32Array(PAGE_COUNT).fill(-1);
  private pages = 0;
  private sorted: Bins | undefined;
  private readonly views = new Map<number, FilledBins>();

  /** `value`: name of what is observed, for messages. */
  constructor(value: string) {
    this.value = value;
  }

  /** Elements that were zero (or below 2e-41); they are in no bin. */
  get zeros(): number {
    return this.countAt(0) + this.countAt(NEGATIVE);
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
    const { starts } = this;
    let { counts } = this;
    const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
    const zerosBefore = this.zeros;
    let [low, high, power, zeros] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
    for (let i = 0; i < data.length; i++) {
      const pattern = bits[i];
      if (pattern << 1 === 0) {
        // Zeros of either sign. Half of what a Relu makes: counting them in a register takes a third of the time away.
        zeros++;
        continue;
      }
      const x = data[i];
      if (x < low) low = x;
      if (x > high) high = x;
      power += x * x;
      const page = pattern >>> 23;
      if (starts[page] < 0) counts = this.addPage(page);
      counts[starts[page] + ((pattern >>> SHIFT) & (BINS_PER_PAGE - 1))]++;
    }
    if (zeros > 0) {
      [low, high] = [Math.min(low, 0), Math.max(high, 0)];
      if (starts[0] < 0) counts = this.addPage(0);
      counts[starts[0]] += zeros;
    }
    if (!Number.isFinite(power)) throw this.notFinite(data);
    if (low < this.min) this.min = low;
    if (high > this.max) this.max = high;
    const count = data.length - (this.zeros - zerosBefore);
    return { low: Math.min(low, 0), high: Math.max(high, 0), power, count };
  }

  private addPage(page: number): Float64Array<ArrayBuffer> {
    if ((this.pages + 1) * BINS_PER_PAGE > this.counts.length) {
      const more = new Float64Array(2 * this.counts.length);
      more.set(this.counts);
      this.counts = more;
    }
    this.starts[page] = this.pages++ * BINS_PER_PAGE;
    return this.counts;
  }

  /** Elements in the first bin of a page. */
  private countAt(page: number): number {
    return this.starts[page] < 0 ? 0 : this.counts[this.starts[page]];
  }

  private bins(): Bins {
    if (this.sorted) return this.sorted;
    const size = this.pages * BINS_PER_PAGE;
    const [starts, ends, counts] = [new Float64Array(size), new Float64Array(size), new Float64Array(size)];
    let filled = 0;
    const take = (page: number, i: number) => {
      const count = this.counts[this.starts[page] + i];
      const exponent = page % NEGATIVE;
      if (count === 0 || (exponent === 0 && i === 0)) return;
      const [inner, outer] = [edgeOf(exponent, i), edgeOf(exponent, i + 1)];
      starts[filled] = page < NEGATIVE ? inner : -outer;
      ends[filled] = page < NEGATIVE ? outer : -inner;
      counts[filled++] = count;
    };
    for (let page = PAGE_COUNT - 1; page >= NEGATIVE; page--)
      if (this.starts[page] >= 0) for (let i = BINS_PER_PAGE - 1; i >= 0; i--) take(page, i);
    for (let page = 0; page < NEGATIVE; page++)
      if (this.starts[page] >= 0) for (let i = 0; i < BINS_PER_PAGE; i++) take(page, i);
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

/** Smallest magnitude of bin `i` of the page of an exponent. */
function edgeOf(exponent: number, i: number): number {
  // Below the normal numbers the bins go on with the width of the first page.
  return exponent === 0 ? i * 2 ** (MIN_EXPONENT + SHIFT) : (1 + i / BINS_PER_PAGE) * 2 ** (exponent - 127);
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
