import { HoneError } from '../../core/error';
import type { Dataset } from '../../ir/dataset';
import type { Graph } from '../../ir/graph';
import { viewAs } from '../../ir/tensor';
import type { AffineParameters } from '../../passes/insert-qdq';
import { matchingGlob } from '../glob';
import { affineOf, type Range } from './affine';
import { collect, type Runner } from './calibrate';
import { ESTIMATORS, type EstimatorName } from './estimators';
import { Histogram } from './histogram';
import type { QuantizeOptions } from './options';
import type { ValueGroup } from './select';

/** How one value was quantized. */
export interface ValueRange {
  readonly value: string;
  /** Other values with the same scale and zero point. */
  readonly sharedWith: readonly string[];
  /** Extremes that calibration saw in the values of the group. */
  readonly min: number;
  readonly max: number;
  /** Range that was chosen, before it was put on the uint8 grid. */
  readonly low: number;
  readonly high: number;
  readonly scale: number;
  readonly zeroPoint: number;
  /** Largest code, where that is not 255. */
  readonly limit?: number;
  readonly estimator: EstimatorName;
}

/** Ranges of all groups, and how many samples they rest on. */
export interface Ranges {
  /** By value, for every value of every group. */
  readonly parameters: ReadonlyMap<string, AffineParameters>;
  /** One entry per group, named by its first value. */
  readonly values: readonly ValueRange[];
  readonly samples: number;
}

/**
 * Scale and zero point of every group of values: the histograms of its sources are gathered in one pass over the dataset
 * (constants count as their own), each range is estimated alone, and the group gets the union. `bitsOf` tells the width of the
 * codes of a source; a group has that of its widest.
 * @throws E_CALIBRATION when a value is NaN or infinite, E_DATA_EMPTY, E_DATA_MISMATCH, E_INTERRUPTED
 */
export async function estimateRanges(
  graph: Graph,
  groups: readonly ValueGroup[],
  dataset: Dataset,
  options: QuantizeOptions,
  bitsOf: (value: string) => number,
  runner: Runner,
): Promise<Ranges> {
  const histograms = new Map<string, Histogram>();
  const requests = new Map<string, Histogram[]>();
  for (const source of groups.flatMap((group) => group.sources)) {
    const histogram = new Histogram(source);
    histograms.set(source, histogram);
    const constant = graph.initializers.get(source);
    if (constant) histogram.observe(viewAs(constant, 'float32'));
    else requests.set(source, [histogram]);
  }
  const samples = await collect(graph, dataset, requests, runner);

  const parameters = new Map<string, AffineParameters>();
  const values = groups.map((group) => {
    const limit = 2 ** Math.max(...group.sources.map(bitsOf)) - 1;
    const range = rangeOfGroup(group, histograms, { ...options, limit });
    const affine = affineOf(range, limit);
    // What copies make lies inside the codes already: only sources need to be limited to them.
    const copied = { scale: affine.scale, zeroPoint: affine.zeroPoint };
    for (const value of group.values) parameters.set(value, group.sources.includes(value) ? affine : copied);
    const [value, ...sharedWith] = group.values;
    return { value, sharedWith, ...range, ...affine };
  });
  return { parameters, values, samples };
}

type GroupRange = Pick<ValueRange, 'min' | 'max' | 'low' | 'high' | 'estimator'>;

function rangeOfGroup(
  { values, sources, fills }: ValueGroup,
  histograms: ReadonlyMap<string, Histogram>,
  options: QuantizeOptions & { readonly limit: number },
): GroupRange {
  const glob = values.map((value) => matchingGlob(value, Object.keys(options.estimators))).find(Boolean);
  const estimator = glob === undefined ? options.estimator : options.estimators[glob];
  const seen = sources.map((source) => {
    const histogram = histograms.get(source)!;
    if (histogram.count === 0)
      throw new HoneError('E_CALIBRATION', { value: `'${source}'`, reason: 'it holds no elements' });
    return histogram;
  });
  const ranges: Range[] = seen.map((histogram) => ESTIMATORS[estimator](histogram, options));
  return {
    estimator,
    min: Math.min(...seen.map(({ min }) => min)),
    max: Math.max(...seen.map(({ max }) => max)),
    low: Math.min(0, ...fills, ...ranges.map(({ low }) => low)),
    high: Math.max(0, ...fills, ...ranges.map(({ high }) => high)),
  };
}
