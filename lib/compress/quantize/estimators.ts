import { affineOf, type Range, rangeOf, UINT8_LIMIT } from './affine';
import type { FilledBins, Histogram } from './histogram';

// Local names: a look-up of the global object per bin is slow inside module sandboxes.
const { log, max, min, round } = Math;

/** What an estimator may be told besides the histogram. */
interface EstimatorOptions {
  /** Share of the elements that the `percentile` range keeps, in percent. */
  readonly percentile: number;
  /** Largest code; 255 when left out. */
  readonly limit?: number;
}

/** Chooses the range that uint8 shall represent from the histogram of a value. Low <= 0 <= high. */
export type Estimator = (histogram: Histogram, options: EstimatorOptions) => Range;

/** The range estimators by name. */
export const ESTIMATORS = {
  minmax: estimateMinMax,
  percentile: estimatePercentile,
  entropy: estimateEntropy,
  mse: estimateMse,
} as const satisfies Record<string, Estimator>;

export type EstimatorName = keyof typeof ESTIMATORS;

/** Candidates per end of the range: each end is tried at 1/64, 2/64, ... of the observed one. */
const GRID = 64;
/** Passes of the search over both ends; the second one rarely moves anything. */
const PASSES = 3;
/** Bins per quantization step below which a histogram cannot tell how good a range is. */
const MIN_BINS_PER_STEP = 2;

/** Smallest and largest element seen. */
function estimateMinMax(histogram: Histogram): Range {
  return { low: min(histogram.min, 0), high: max(histogram.max, 0) };
}

/** Range that leaves out `100 - percentile` percent of the elements, half of them at each end. */
function estimatePercentile(histogram: Histogram, { percentile }: EstimatorOptions): Range {
  const cut = (histogram.count * (100 - percentile)) / 200;
  const full = estimateMinMax(histogram);
  return {
    low: min(0, quantile(histogram, cut, full)),
    high: max(0, quantile(histogram, histogram.count - cut, full)),
  };
}

/** The x with `below` elements under it, by bisection inside `range`. */
function quantile(histogram: Histogram, below: number, range: Range): number {
  if (below <= 0) return range.low;
  if (below >= histogram.count) return range.high;
  let { low, high } = range;
  for (let step = 0; step < 48; step++) {
    const middle = (low + high) / 2;
    if (histogram.countBelow(middle) < below) low = middle;
    else high = middle;
  }
  return high;
}

/** Range with the smallest mean squared error between the elements and their uint8 form. */
function estimateMse(histogram: Histogram, { limit = UINT8_LIMIT }: EstimatorOptions): Range {
  const bins = histogram.filledBins();
  return searchRange(histogram, limit, (range) => squaredError(bins, histogram.width, range, limit));
}

/** Sum of squared quantization errors of the binned elements; zeros have none. */
function squaredError({ centers, counts }: FilledBins, width: number, range: Range, limit: number): number {
  const { scale, zeroPoint } = affineOf(range, limit);
  // Elements spread over a bin as wide as a step err by scale^2 / 12 on average, which the middle of the bin cannot show.
  const spread = width < scale / 2 ? undefined : (scale * scale) / 12;
  let sum = 0;
  for (let i = 0; i < centers.length; i++) {
    const level = round(centers[i] / scale) + zeroPoint;
    const clipped = min(limit, max(0, level));
    const error = centers[i] - (clipped - zeroPoint) * scale;
    sum += counts[i] * (spread === undefined || level !== clipped ? error * error : spread);
  }
  return sum;
}

/**
 * Range with the smallest Kullback-Leibler divergence KL(P || Q) (Migacz, "8-bit inference with TensorRT", GTC 2017), in
 * the form that fits asymmetric uint8: P is the histogram with what is clipped added to its outermost bins, Q spreads the
 * *unclipped* elements of each level evenly over the filled bins of that level. Zeros are in neither.
 */
function estimateEntropy(histogram: Histogram, { limit = UINT8_LIMIT }: EstimatorOptions): Range {
  const bins = histogram.filledBins();
  return searchRange(histogram, limit, (range) => divergence(bins, range, limit));
}

function divergence({ centers, counts }: FilledBins, range: Range, limit: number): number {
  const { scale, zeroPoint } = affineOf(range, limit);
  const { low, high } = rangeOf({ scale, zeroPoint, limit });
  let first = 0;
  let last = centers.length - 1;
  while (first < last && centers[first] < low) first++;
  while (last > first && centers[last] > high) last--;

  const levelOf = (i: number) => min(limit, max(0, round(centers[i] / scale) + zeroPoint));
  const mass = new Float64Array(limit + 1);
  const filled = new Float64Array(limit + 1);
  let inside = 0;
  let all = 0;
  for (let i = 0; i < counts.length; i++) {
    all += counts[i];
    if (i < first || i > last) continue;
    mass[levelOf(i)] += counts[i];
    filled[levelOf(i)]++;
    inside += counts[i];
  }
  if (inside === 0) return Number.POSITIVE_INFINITY;

  let clippedLow = 0;
  let clippedHigh = 0;
  for (let i = 0; i < first; i++) clippedLow += counts[i];
  for (let i = last + 1; i < counts.length; i++) clippedHigh += counts[i];
  let sum = 0;
  for (let i = first; i <= last; i++) {
    const level = levelOf(i);
    const p = (counts[i] + (i === first ? clippedLow : 0) + (i === last ? clippedHigh : 0)) / all;
    sum += p * log(p / (mass[level] / filled[level] / inside));
  }
  return sum;
}

/**
 * The range of smallest cost, by moving one end at a time over a grid between zero and the observed extreme. Ranges too
 * narrow for the histogram to judge are not tried; on equal cost the wider range wins.
 */
function searchRange(histogram: Histogram, limit: number, cost: (range: Range) => number): Range {
  const full = estimateMinMax(histogram);
  const narrowest = min(full.high - full.low, MIN_BINS_PER_STEP * limit * histogram.width);
  let best = full;
  let bestCost = cost(full);
  for (let pass = 0; pass < PASSES; pass++) {
    const before = bestCost;
    for (const end of ['high', 'low'] as const) {
      if (full[end] === 0) continue;
      for (let step = GRID; step > 0; step--) {
        const candidate = { ...best, [end]: (full[end] * step) / GRID };
        if (candidate.high - candidate.low < narrowest) break;
        const candidateCost = cost(candidate);
        if (candidateCost < bestCost) [best, bestCost] = [candidate, candidateCost];
      }
    }
    if (bestCost === before) break;
  }
  return best;
}
