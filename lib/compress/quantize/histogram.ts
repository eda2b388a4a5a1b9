import { HoneError } from '../../core/error';
import type { Observer } from './observer';

// A local name: a look-up of the global object per element is slow inside module sandboxes.
const { floor } = Math;

/** Bins of a histogram; at least half of them are in use once the data spans more than its float resolution. */
const BIN_COUNT = 2048;
/** Bits of a float32 significand after the leading one: finer bins could not tell more values apart. */
const FRACTION_BITS = 23;
/** Exponent of the smallest positive float32. */
const MIN_EXPONENT = -149;

/** Bins that hold at least one element, in rising order. */
export interface FilledBins {
  /** Middle of each bin, moved inside the exact minimum and maximum. */
  readonly centers: Float64Array;
  readonly counts: Float64Array;
}

/**
 * Streaming histogram of a value whose range is not known beforehand. Bins are `2^k` wide and start at multiples of their
 * width; when data falls outside, `k` grows and bins merge pairwise. The result depends only on the multiset of the
 * elements seen: not on their order, nor on how they were cut into batches. Exact zeros are counted apart, because every
 * quantization represents them exactly.
 */
export class Histogram implements Observer {
  /** Smallest and largest element; infinite before the first one. */
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  /** Elements seen, zeros included. */
  count = 0;
  /** Elements that were exactly zero; they are in no bin. */
  zeros = 0;
  private readonly value: string;
  private exponent = 0;
  /** Index of the first bin: bin `i` covers `[(base + i) * width, (base + i + 1) * width)`. */
  private base = 0;
  private bins = new Float64Array(BIN_COUNT);

  /** `value`: name of what is observed, for messages. */
  constructor(value: string) {
    this.value = value;
  }

  /** Width of one bin. */
  get width(): number {
    return 2 ** this.exponent;
  }

  observe(data: Float32Array): void {
    let { min, max } = this;
    let poison = 0;
    for (let i = 0; i < data.length; i++) {
      const x = data[i];
      if (x < min) min = x;
      if (x > max) max = x;
      poison += x * 0;
    }
    if (poison !== 0) throw this.notFinite(data);
    if (data.length === 0) return;
    this.cover(min, max);
    const { bins, base, exponent } = this;
    const scale = 2 ** -exponent;
    let zeros = 0;
    for (let i = 0; i < data.length; i++) {
      const x = data[i];
      if (x === 0) zeros++;
      else bins[floor(x * scale) - base]++;
    }
    this.zeros += zeros;
    this.count += data.length;
  }

  /** The bins in use. */
  filledBins(): FilledBins {
    const { bins, base, width, min, max } = this;
    const centers: number[] = [];
    const counts: number[] = [];
    for (let i = 0; i < BIN_COUNT; i++) {
      if (bins[i] === 0) continue;
      centers.push(Math.min(max, Math.max(min, (base + i + 0.5) * width)));
      counts.push(bins[i]);
    }
    return { centers: Float64Array.from(centers), counts: Float64Array.from(counts) };
  }

  /** Elements below `x`, with elements spread evenly inside each bin. */
  countBelow(x: number): number {
    const { bins, base, width } = this;
    let below = x > 0 ? this.zeros : 0;
    for (let i = 0; i < BIN_COUNT; i++) {
      const start = (base + i) * width;
      if (start >= x) break;
      below += bins[i] * Math.min(1, (x - start) / width);
    }
    return below;
  }

  /** Makes the bins cover `min` to `max` and takes these as the new extremes. */
  private cover(min: number, max: number): void {
    const first = this.count === 0;
    if (!first && min === this.min && max === this.max) return;
    const exponent = exponentFor(min, max);
    const base = Math.floor(min * 2 ** -exponent);
    if (!first && (exponent !== this.exponent || base !== this.base)) {
      const merged = new Float64Array(BIN_COUNT);
      const shrink = 2 ** (this.exponent - exponent);
      for (let i = 0; i < BIN_COUNT; i++)
        if (this.bins[i] > 0) merged[Math.floor((this.base + i) * shrink) - base] += this.bins[i];
      this.bins = merged;
    }
    this.min = min;
    this.max = max;
    this.exponent = exponent;
    this.base = base;
  }

  private notFinite(data: Float32Array): HoneError {
    const wrong = data.find((x) => !Number.isFinite(x));
    return new HoneError('E_CALIBRATION', {
      value: `'${this.value}'`,
      reason: `a calibration sample makes it ${wrong}`,
    });
  }
}

/** Smallest exponent `k` at which bins of width `2^k`, aligned at zero, cover both numbers. Grows with the range. */
function exponentFor(min: number, max: number): number {
  const magnitude = Math.max(Math.abs(min), Math.abs(max));
  let exponent = MIN_EXPONENT;
  if (magnitude > 0) exponent = Math.max(exponent, Math.floor(Math.log2(magnitude)) - FRACTION_BITS);
  while (Math.floor(max * 2 ** -exponent) - Math.floor(min * 2 ** -exponent) >= BIN_COUNT) exponent++;
  return exponent;
}
