import { affineOf, type NumberRange, rangeOf, UINT8_LIMIT } from './affine';
import type { FilledBins, SampleExtent, ValueHistogram } from './histogram';

// Local names: a look-up of the global object per bin is slow inside module sandboxes.
const { exp, log, max, min, round } = Math;

/** What an estimator may be told besides the histogram. */
interface EstimatorOptions {
  /** Share of the elements that the `percentile` range keeps, in percent. */
  readonly percentile: number;
  /** Largest code; 255 when left out. */
  readonly limit?: number;
}

/** Chooses the range that uint8 shall represent from the histogram of a value. Low <= 0 <= high. */
export type Estimator = (histogram: ValueHistogram, options: EstimatorOptions) => NumberRange;

/** The range estimators by name. */
export const ESTIMATORS = {
  minmax: estimateMinMax,
  percentile: estimatePercentile,
  entropy: estimateEntropy,
  mse: estimateMse,
} as const satisfies Record<string, Estimator>;

export type EstimatorName = keyof typeof ESTIMATORS;

/** Candidates per end of the range in the last search: it is tried at 1/64, 2/64, ... of the largest one. */
const GRID = 64;
/** Passes of a search over both ends at most; the second one rarely moves anything. */
const PASSES = 3;
/** Bins per quantization step below which a histogram cannot tell how good a range is. */
const MIN_BINS_PER_STEP = 2;
/** Mean excesses beyond the extremes that a range is tried with at most. */
const FARTHEST = 2;
/** Part of the expected error that codes beyond the extremes must save at least: they make all steps wider. */
const MARGIN_GAIN = 0.8;
/** Squared error that `entropy` may add to the least one, as a multiple of it: the divergence does not see how far off clipped elements are. */
const ENTROPY_ERROR = 2;

/** Smallest and largest element seen. */
function estimateMinMax(histogram: ValueHistogram): NumberRange {
  return { low: min(histogram.min, 0), high: max(histogram.max, 0) };
}

/** NumberRange that leaves out `100 - percentile` percent of the elements, half of them at each end. */
function estimatePercentile(histogram: ValueHistogram, { percentile }: EstimatorOptions): NumberRange {
  const cut = (histogram.count * (100 - percentile)) / 200;
  return {
    low: min(0, histogram.quantile(cut)),
    high: max(0, histogram.quantile(histogram.count - cut)),
  };
}

/** NumberRange with the smallest mean squared error between the elements and their uint8 form. */
function estimateMse(histogram: ValueHistogram, { limit = UINT8_LIMIT }: EstimatorOptions): NumberRange {
  return leastError(histogram, limit).range;
}

function leastError(histogram: ValueHistogram, limit: number): Fit {
  const full = estimateMinMax(histogram);
  const tails = tailsOf(histogram.samples);
  const errorOf = (bins: FilledBins, range: NumberRange, enough = Number.POSITIVE_INFINITY) =>
    clippingError(bins, range, limit, enough) < enough
      ? squaredError(bins, range, limit) + errorBeyond(range, full, tails)
      : Number.POSITIVE_INFINITY;
  const { range } = coarseSearch(histogram, full, limit, errorOf);
  const wider = (factor: number) => {
    const reach = { low: full.low - FARTHEST * tails.low, high: full.high + FARTHEST * tails.high };
    return { low: max(reach.low, range.low * factor), high: min(reach.high, range.high * factor) };
  };
  const largest = wider(Math.SQRT2);
  const inside = { low: max(largest.low, full.low), high: min(largest.high, full.high) };
  const bins = histogram.filledBins(largest);
  const found = fineSearch(bins, { full, largest: inside }, limit, errorOf);
  const same = inside.low === largest.low && inside.high === largest.high;
  const further = same ? found : fineSearch(bins, { full, largest }, limit, errorOf);
  return { ...(further.cost < MARGIN_GAIN * found.cost ? further : found), full, errorOf, wider };
}

/**
 * A lower bound of the squared error of a range, by what it clips and bins of any width: none is farther than its width from the
 * middle. Counts no further than to `enough`.
 */
function clippingError(
  { centers, counts, width }: FilledBins,
  range: NumberRange,
  limit: number,
  enough: number,
): number {
  const { scale, zeroPoint } = affineOf(range, limit);
  const [lowest, highest] = [-zeroPoint * scale - width, (limit - zeroPoint) * scale + width];
  let sum = 0;
  for (let i = centers.length - 1; i >= 0 && centers[i] > highest && sum < enough; i--)
    sum += counts[i] * (centers[i] - highest) ** 2;
  for (let i = 0; i < centers.length && centers[i] < lowest && sum < enough; i++)
    sum += counts[i] * (lowest - centers[i]) ** 2;
  return sum;
}

/** Sum of squared quantization errors of the binned elements; zeros have none. */
function squaredError({ centers, counts, width }: FilledBins, range: NumberRange, limit: number): number {
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
 * NumberRange with the smallest Kullback-Leibler divergence KL(P || Q) (Migacz, "8-bit inference with TensorRT", GTC 2017), in
 * the form that fits asymmetric uint8: P is the histogram with what is clipped added to its outermost bins, Q spreads the
 * *unclipped* elements of each level evenly over the filled bins of that level. Zeros are in neither.
 */
function estimateEntropy(histogram: ValueHistogram, { limit = UINT8_LIMIT }: EstimatorOptions): NumberRange {
  const { range, cost: error, full, errorOf, wider } = leastError(histogram, limit);
  const largest = wider(2);
  const bins = histogram.filledBins(largest);
  const cost = (all: FilledBins, candidate: NumberRange) =>
    errorOf(all, candidate) > ENTROPY_ERROR * error ? Number.POSITIVE_INFINITY : divergence(all, candidate, limit);
  return fineSearch(bins, { full, largest, start: range }, limit, cost).range;
}

function divergence({ centers, counts }: FilledBins, range: NumberRange, limit: number): number {
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

/** A range and its cost. */
interface Found {
  readonly range: NumberRange;
  readonly cost: number;
}

/** What `mse` found, and with what. */
interface Fit extends Found {
  /** Extremes of the elements. */
  readonly full: NumberRange;
  readonly errorOf: Cost;
  /** The range times a factor, as far as a further sample may reach. */
  readonly wider: (factor: number) => NumberRange;
}

/** Mean distances at which a further sample that exceeds all others would end beyond the extremes. */
interface Tails {
  readonly low: number;
  readonly high: number;
}

/** How far the largest sqrt(n) extremes of samples lie above the next one on average: the mean excess of an exponential tail. */
function tailsOf(samples: readonly SampleExtent[]): Tails {
  const meanOf = (extremes: readonly number[]) => {
    const sorted = Float64Array.from(extremes).sort().reverse();
    const top = Math.ceil(Math.sqrt(sorted.length));
    // An extreme that several samples share is a bound of the value.
    if (top >= sorted.length || sorted[0] === sorted[1]) return 0;
    return sorted.subarray(0, top).reduce((sum, x) => sum + x - sorted[top], 0) / top;
  };
  return { low: meanOf(samples.map(({ low }) => -low)), high: meanOf(samples.map(({ high }) => high)) };
}

/**
 * Expected squared error of clipping what lies beyond the extremes of all samples seen, over as many further samples: one of them
 * exceeds each end on average. Inside the extremes the elements themselves tell what clipping costs.
 */
function errorBeyond(range: NumberRange, full: NumberRange, { low, high }: Tails): number {
  const beyond = (slack: number, mean: number) => (mean === 0 ? 0 : 2 * mean * mean * exp(-max(0, slack) / mean));
  return beyond(full.low - range.low, low) + beyond(range.high - full.high, high);
}

/** Cost of a range; anything not below `enough` where it is not. */
type Cost = (bins: FilledBins, range: NumberRange, enough?: number) => number;

/**
 * The range of smallest cost within a factor of sqrt(2): both ends together, then each alone, from the full range down in steps of
 * that factor to where half of the elements would be clipped. Every range is judged with bins as fine as it needs.
 */
function coarseSearch(histogram: ValueHistogram, full: NumberRange, limit: number, costOf: Cost): Found {
  const coarse = histogram.filledBins(full);
  let best: Found = { range: full, cost: costOf(coarse, full) };
  const offer = (range: NumberRange) => {
    // Most ranges clip too much, which the coarse bins show.
    if (clippingError(coarse, range, limit, best.cost) >= best.cost) return;
    const cost = costOf(histogram.filledBins(range), range, best.cost);
    if (cost < best.cost) best = { range, cost };
  };
  const scales = Array.from({ length: stepsDown(coarse) }, (_, step) => Math.SQRT2 ** -(step + 1));
  for (const scale of scales) offer({ low: full.low * scale, high: full.high * scale });
  forEachEnd(
    () => best.range,
    (end) => {
      if (full[end] !== 0) for (const scale of [1, ...scales]) offer({ ...best.range, [end]: full[end] * scale });
    },
  );
  return best;
}

/** Steps of sqrt(2) from the largest magnitude to well below the geometric mean of all. */
function stepsDown({ centers, counts }: FilledBins): number {
  let [largest, sum, total] = [0, 0, 0];
  for (let i = 0; i < centers.length; i++) {
    const size = max(centers[i], -centers[i]);
    largest = max(largest, size);
    sum += counts[i] * log(size);
    total += counts[i];
  }
  return total === 0 ? 0 : Math.ceil((log(largest) - sum / total) / log(Math.SQRT2)) + 2;
}

/**
 * The range of smallest cost, by moving one end at a time over a grid between zero and that of `largest`, from `start` on. Ranges
 * too narrow for the bins to judge are not tried; on equal cost the wider range wins.
 */
function fineSearch(
  bins: FilledBins,
  {
    full,
    largest,
    start = largest,
  }: { readonly full: NumberRange; readonly largest: NumberRange; readonly start?: NumberRange },
  limit: number,
  costOf: Cost,
): Found {
  const narrowest = min(largest.high - largest.low, MIN_BINS_PER_STEP * limit * bins.width);
  const stepsTo = (end: number) => Array.from({ length: GRID }, (_, step) => (end * (GRID - step)) / GRID);
  // The extremes themselves may lie on the grid that the data have (pixels).
  const candidates = {
    high: [full.high, ...stepsTo(largest.high)].filter((x) => x <= largest.high),
    low: [full.low, ...stepsTo(largest.low)].filter((x) => x >= largest.low),
  };
  let best: Found = { range: start, cost: costOf(bins, start) };
  forEachEnd(
    () => best.range,
    (end) => {
      if (largest[end] === 0) return;
      for (const candidate of candidates[end]) {
        const range = { ...best.range, [end]: candidate };
        if (range.high - range.low < narrowest) continue;
        const cost = costOf(bins, range, best.cost);
        if (cost < best.cost) best = { range, cost };
      }
    },
  );
  return best;
}

/** Tries each end in turn, and again while the other one has moved since: beside an end that stays nothing new can be found. */
function forEachEnd(rangeNow: () => NumberRange, tryEnd: (end: 'low' | 'high') => void): void {
  const beside = { high: Number.NaN, low: Number.NaN };
  for (let pass = 0; pass < PASSES; pass++)
    for (const [end, other] of [
      ['high', 'low'],
      ['low', 'high'],
    ] as const) {
      const fixed = rangeNow()[other];
      if (fixed === beside[end]) continue;
      beside[end] = fixed;
      tryEnd(end);
    }
}
