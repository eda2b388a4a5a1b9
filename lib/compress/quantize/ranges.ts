import { HoneError } from '../../core/error';
import type { Dataset } from '../../ir/dataset';
import { usesOf } from '../../ir/edit';
import type { Graph } from '../../ir/graph';
import { viewAs } from '../../ir/tensor';
import type { AffineParameters } from '../../passes/insert-qdq';
import { matchingGlob } from '../glob';
import { affineOf, type NumberRange, rangeOf } from './affine';
import { collect, type Runner } from './calibrate';
import { ESTIMATORS, type EstimatorName } from './estimators';
import { ValueHistogram } from './histogram';
import type { QuantizeOptions } from './quantize-options';
import type { FusedClamp, Selection, ValueGroup } from './select-quantization';
import { Tally } from './tally';

/** How one value was quantized. */
export interface ValueRange {
  readonly value: string;
  /** Other values with the same scale and zero point. */
  readonly sharedWith: readonly string[];
  /** Extremes that calibration saw in what is read of the group. */
  readonly min: number;
  readonly max: number;
  /** NumberRange that was chosen, before it was put on the uint8 grid. */
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

/** What ranges are chosen by. */
export interface ObservedValues {
  /** What is read of each group; constants count once. */
  readonly histograms: readonly ValueHistogram[];
  readonly samples: number;
}

/**
 * Histograms of what is read of every group of values, gathered in one pass over the dataset.
 * @throws E_CALIBRATION when a value is NaN, infinite or empty, E_DATA_EMPTY, E_DATA_MISMATCH, E_INTERRUPTED
 */
export async function observeValues(
  graph: Graph,
  groups: readonly ValueGroup[],
  dataset: Dataset,
  runner: Runner,
): Promise<ObservedValues> {
  const tally = new Tally();
  const histograms = groups.map((group) => new ValueHistogram(group.read[0], tally));
  const requests = new Map<string, ValueHistogram[]>();
  groups.forEach(({ read }, index) => {
    for (const value of read) {
      const constant = graph.initializers.get(value);
      if (constant) histograms[index].observe(viewAs(constant, 'float32'));
      else requests.set(value, [histograms[index]]);
    }
  });
  const samples = await collect(graph, dataset, requests, runner);
  groups.forEach(({ read }, index) => {
    if (histograms[index].count === 0)
      throw new HoneError('E_CALIBRATION', { value: `'${read[0]}'`, reason: 'it holds no elements' });
  });
  return { histograms, samples };
}

/**
 * Scale and zero point of every group of values. `bitsOf` tells the width of the codes of a source; a group has that of its widest.
 */
export function estimateRanges(
  graph: Graph,
  { groups, clamps }: Pick<Selection, 'groups' | 'clamps'>,
  { histograms, samples }: ObservedValues,
  options: QuantizeOptions,
  bitsOf: (value: string) => number,
): Ranges {
  const parameters = new Map<string, AffineParameters>();
  const values = new Array<ValueRange>(groups.length);
  const estimate = (index: number, useful?: NumberRange) => {
    const group = groups[index];
    const [value, ...sharedWith] = group.values;
    const limit = 2 ** Math.max(...group.sources.map(bitsOf)) - 1;
    const { min, max } = histograms[index];
    const estimator = estimatorOf(group, options);
    const { low, high } = ESTIMATORS[estimator](histograms[index], { percentile: options.percentile, limit });
    const range = useful ? { low: Math.max(low, useful.low), high: Math.min(high, useful.high) } : { low, high };
    const affine = affineOf(range, limit);
    // What copies make lies inside the codes already: only sources need to be limited to them.
    const copied = { scale: affine.scale, zeroPoint: affine.zeroPoint };
    for (const each of group.values) parameters.set(each, group.sources.includes(each) ? affine : copied);
    values[index] = { value, sharedWith, min, max, ...range, ...affine, estimator };
  };
  // What a constant may be worth depends on the ranges of the values that it is added to.
  const constant = (index: number) => groups[index].values.every((value) => graph.initializers.has(value));
  const [others, constants] = [false, true].map((wanted) => [...groups.keys()].filter((i) => constant(i) === wanted));
  for (const index of others) estimate(index);
  for (const index of constants) estimate(index, usefulRange(graph, groups[index].values[0], clamps, parameters));
  return { parameters, values, samples };
}

/** The estimator of a group: the first glob that matches one of its values counts. */
export function estimatorOf({ values }: ValueGroup, options: QuantizeOptions): EstimatorName {
  const glob = values.map((value) => matchingGlob(value, Object.keys(options.estimators))).find(Boolean);
  return glob === undefined ? options.estimator : options.estimators[glob];
}

/**
 * NumberRange beyond which a constant only makes results that lie outside their codes anyway, as where it is added to (a mask of -1e9);
 * undefined where it is not only added or subtracted. A little wider, so that rounding does not bring it inside.
 */
function usefulRange(
  graph: Graph,
  constant: string,
  clamps: readonly FusedClamp[],
  parameters: ReadonlyMap<string, AffineParameters>,
): NumberRange | undefined {
  let [low, high] = [0, 0];
  for (const node of usesOf(graph).consumers(constant)) {
    const at = node.inputs.indexOf(constant);
    const made = clamps.find(({ input }) => input === node.outputs[0])?.output ?? node.outputs[0];
    const [other, result] = [parameters.get(node.inputs[1 - at]), parameters.get(made)];
    if ((node.op !== 'Add' && node.op !== 'Sub') || !other || !result) return undefined;
    const [x, y] = [rangeOf(other), rangeOf(result)];
    const [least, most] =
      node.op === 'Add'
        ? [y.low - x.high, y.high - x.low]
        : at === 1
          ? [x.low - y.high, x.high - y.low]
          : [y.low + x.low, y.high + x.high];
    const slack = (most - least) / 64;
    [low, high] = [Math.min(low, least - slack), Math.max(high, most + slack)];
  }
  return { low, high };
}
