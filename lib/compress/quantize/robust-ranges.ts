import type { Dataset } from '../../ir/dataset';
import type { Graph } from '../../ir/graph';
import { viewAs } from '../../ir/tensor';
import { feedsOf } from '../feeds';
import { splitEvenly } from '../keep-if-better';
import type { Runner } from './calibrate';
import { addPower, decibels, type Power, powerOf } from './measure-quality';
import { outlyingSamples } from './outlying-samples';
import type { QuantizeOptions } from './quantize-options';
import { estimateRanges, estimatorOf, type ObservedValues, observeValues, type Ranges } from './ranges';
import { isFloat32 } from './roles';
import type { Selection, ValueGroup } from './select-quantization';

/** Ranges, and the calibration samples that had no say in them. */
export interface RobustRanges {
  readonly ranges: Ranges;
  /** Outlying samples that were left out; mostly none. */
  readonly leftOut: readonly OutlyingSample[];
}

/** A sample that reaches far beyond all others. */
export interface OutlyingSample {
  /** Index among the calibration samples. */
  readonly index: number;
  /** The first value where it does, and how far it reaches there. */
  readonly value: string;
  readonly extreme: number;
}

/** Share of the samples that may be left out; more of them are no outliers. */
const MAX_SHARE = 1 / 8;
/** Samples beside the outlying ones that both ways are tried on. */
const TRIED = 48;
/** SQNR of a sample counts up to this: beyond it nothing is damaged. */
const ENOUGH_DB = 30;

/**
 * Ranges of all groups of values. Where few samples are outlying (see `outlyingSamples`) in values whose estimator clips, ranges
 * are estimated again without them. That is kept if the outputs of all samples, outlying ones included, are nearer to the float
 * network's so: by the mean of their SQNR, each up to 30 dB. (A sum over samples would ask what the outlying ones like: their outputs
 * outweigh all others.)
 * @param written the quantized network with these ranges
 * @throws what `observeValues` throws
 */
export async function robustRanges(
  graph: Graph,
  selection: Pick<Selection, 'groups' | 'clamps'>,
  dataset: Dataset,
  { options, bitsOf, written, runner }: RangeContext,
): Promise<RobustRanges> {
  const observed = await observeValues(graph, selection.groups, dataset, runner);
  const rangesFrom = (seen: ObservedValues) => estimateRanges(graph, selection, seen, options, bitsOf);
  const ranges = rangesFrom(observed);
  const outlying = outlyingIn(observed, selection.groups, options);
  if (outlying.length === 0) return { ranges, leftOut: [] };
  const out = outlying.map(({ index }) => index);
  const others = dataset.select([...Array(dataset.count).keys()].filter((index) => !out.includes(index)));
  const robust = rangesFrom(await observeValues(graph, selection.groups, others, runner));
  const tried = splitEvenly(others, Math.min(TRIED, others.count)).held;
  const meanDb = async (candidate: Ranges) => {
    const judged = (samples: Dataset) => meanSampleDb(graph, written(candidate), samples, runner);
    return ((await judged(dataset.select(out))) * out.length + (await judged(tried)) * others.count) / dataset.count;
  };
  return (await meanDb(robust)) > (await meanDb(ranges))
    ? { ranges: robust, leftOut: outlying }
    : { ranges, leftOut: [] };
}

interface RangeContext {
  readonly options: QuantizeOptions;
  readonly bitsOf: (value: string) => number;
  readonly written: (ranges: Ranges) => Graph;
  readonly runner: Runner;
}

/** Samples that are outlying in some value, unless its estimator is to keep all extremes. */
function outlyingIn(
  { histograms, samples: count }: ObservedValues,
  groups: readonly ValueGroup[],
  options: QuantizeOptions,
): readonly OutlyingSample[] {
  const found = new Map<number, OutlyingSample>();
  groups.forEach((group, at) => {
    if (estimatorOf(group, options) === 'minmax') return;
    const { samples } = histograms[at];
    for (const index of outlyingSamples(samples)) {
      const { low, high } = samples[index];
      const extreme = -low > high ? low : high;
      if (!found.has(index)) found.set(index, { index, value: group.values[0], extreme });
    }
  });
  if (found.size > Math.max(1, MAX_SHARE * count)) return [];
  return [...found.values()].sort((a, b) => a.index - b.index);
}

/** Mean over samples of the SQNR of all float32 outputs together, each sample's between 0 and 30 dB. */
async function meanSampleDb(graph: Graph, quantized: Graph, samples: Dataset, runner: Runner): Promise<number> {
  const names = graph.outputs.filter((name) => isFloat32(graph, name));
  let [sum, seen] = [0, 0];
  for await (const { inputs, count } of feedsOf(graph, samples, runner.signal)) {
    const [expected, found] = await Promise.all([graph, quantized].map((each) => runner.evaluate(each, inputs, names)));
    for (let sample = 0; sample < count; sample++) {
      let power: Power = { signal: 0, noise: 0 };
      for (const name of names) {
        const [x, y] = [viewAs(expected.get(name)!, 'float32'), viewAs(found.get(name)!, 'float32')];
        const size = x.length / count;
        power = addPower(power, powerOf(x, y, Math.floor(sample * size), Math.floor((sample + 1) * size)));
      }
      const { signal, noise } = power;
      sum += noise === 0 ? ENOUGH_DB : Math.min(ENOUGH_DB, Math.max(0, decibels(signal, noise)));
    }
    seen += count;
  }
  return seen === 0 ? 0 : sum / seen;
}
