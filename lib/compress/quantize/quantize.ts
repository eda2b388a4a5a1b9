import { HoneError } from '../../core/error';
import type { Dataset } from '../../ir/dataset';
import type { Evaluate, Graph } from '../../ir/graph';
import { prepare } from '../../passes/pipeline';
import { leastRun } from '../feeds';
import { finishedBy, type OpenFinished } from '../finished';
import { splitEvenly } from '../keep-if-better';
import { requireMeaning } from '../skip';
import type { Runner } from './calibrate';
import { correctBiases } from './correct-bias';
import { equalizeLayers } from './equalize';
import { normalizeLayers } from './normalize-layers';
import {
  choicesFor,
  type PartialQuantizeOptions,
  type QuantizeOptions,
  resolveQuantizeOptions,
  withoutHeed,
} from './options';
import { type QuantizationPlan, requireFloatGraph, requireWork, weightOnlyReason, writePlan } from './plan';
import type { Ranges } from './ranges';
import { reconstructLayers } from './reconstruct';
import { rememberOutputs } from './remember-outputs';
import { type QuantizeReport, reportOn } from './report';
import { robustRanges, without } from './robust-ranges';
import { selectQuantization } from './select';
import { outlyingWarnings } from './warnings';
import { requireFiniteConstants } from './weights';

/** How far `quantize` is. */
export interface QuantizeProgress {
  /** `round` counts layers, the others samples. `measure` is about layers, `judge` about outputs. */
  readonly stage: 'calibrate' | 'round' | 'correct' | 'measure' | 'judge';
  /** Done and in all, of this stage. */
  readonly done: number;
  readonly total: number;
}

/** What `quantize` needs besides the graph. */
export interface QuantizeContext {
  /** Calibration samples; no labels needed. */
  readonly dataset: Dataset;
  readonly evaluate: Evaluate;
  /** Opens the result to judge its outputs; by `evaluate` when left out. */
  readonly openFinished?: OpenFinished;
  readonly options?: PartialQuantizeOptions;
  /** Names of nodes that stay float, besides those of `options.skip`. */
  readonly keep?: ReadonlySet<string>;
  readonly onProgress?: (progress: QuantizeProgress) => void;
  readonly signal?: AbortSignal;
}

/** A plan with what its report tells of how it came to be. */
export interface PreparedPlan {
  readonly plan: QuantizationPlan;
  /** The float network that the result is measured against. */
  readonly reference: Graph;
  /** Writes the plan, or another one made of it, and measures it. */
  readonly finish: (plan: QuantizationPlan) => Promise<{ readonly graph: Graph; readonly report: QuantizeReport }>;
}

/**
 * The network with weights as int8 and activations as uint8 behind QuantizeLinear/DequantizeLinear pairs, and a report. The
 * graph is prepared first (see `prepare`): node names in options and report are those of the prepared graph. Inputs and
 * outputs stay float; the last layer has a pair behind it, so that it runs on integers too.
 * @throws E_OPTION_UNKNOWN, E_OPTION_VALUE, E_GRAPH_INVALID (constants not finite, nothing to quantize, quantized already),
 * E_DATA_EMPTY, E_DATA_MISMATCH, E_CALIBRATION (naming the value), E_INTERRUPTED
 */
export async function quantize(
  graph: Graph,
  context: QuantizeContext,
): Promise<{ readonly graph: Graph; readonly report: QuantizeReport }> {
  const { plan, finish } = await planQuantization(graph, context);
  return finish(plan);
}

/** What `quantize` decides, before it is written as a graph. @throws what `quantize` throws */
export async function planQuantization(graph: Graph, context: QuantizeContext): Promise<PreparedPlan> {
  const options = resolveQuantizeOptions(context.options);
  requireFloatGraph(graph);
  const prepared = prepare(graph);
  const normalized = normalizeLayers(prepared.graph);
  const calibration = calibrationOf(context.dataset, options);
  requireMeaning(normalized, { names: Object.keys(options.layers), types: [] }, 'layers');
  const selection = selectQuantization(normalized, options.skip, {
    ...(context.keep && { keep: context.keep }),
    weightOnly: (layer) => weightOnlyReason(normalized, layer, options),
  });
  requireWork(selection);
  const constants = [...selection.layers, ...selection.weightOnly].flatMap(({ node }) => node.inputs.slice(1));
  requireFiniteConstants(normalized, [...constants, ...selection.groups.flatMap((group) => group.sources)]);
  const { graph: reference, pairs } = options.crossLayerEqualization
    ? equalizeLayers(normalized)
    : { graph: normalized, pairs: [] };
  const { evaluate, outputs: floatOutputs } = rememberOutputs(reference, context.evaluate);
  const runner = (stage: QuantizeProgress['stage']): Runner => ({
    evaluate,
    ...(context.signal && { signal: context.signal }),
    onBatch: (done, total) => context.onProgress?.({ stage, done, total }),
  });

  const producers = new Map(
    reference.nodes.flatMap((node) => node.outputs.map((value) => [value, node.name] as const)),
  );
  const clamped = new Map(selection.clamps.map(({ input, output }) => [output, input]));
  const bitsOf = (value: string): number => {
    const producer = producers.get(clamped.get(value) ?? value);
    // Inputs and constants stay at 8 bits: nothing before them has made them coarse.
    return producer === undefined ? 8 : choicesFor(options, producer).activationBits;
  };
  const planWith = ({ parameters }: Ranges): QuantizationPlan => ({
    graph: reference,
    layers: selection.layers,
    weightOnly: selection.weightOnly,
    selection,
    activations: parameters,
    grids: new Map(),
    options,
  });
  const { ranges, leftOut } = await robustRanges(reference, selection, calibration, {
    options,
    bitsOf,
    written: (candidate) => writePlan(planWith(candidate)).graph,
    runner: runner('calibrate'),
  });
  const usual = without(
    calibration,
    leftOut.map(({ index }) => index),
  );
  const { fitted, measured, heldOut } = splitSamples(normalized, usual, options);
  const start = planWith(ranges);
  const improve = async (initial: QuantizationPlan) => {
    const rounded = await reconstructLayers(initial, fitted, runner('round'));
    return options.biasCorrection ? correctBiases(rounded, fitted, runner('correct')) : rounded;
  };
  const plan = await improve(start);
  const finish = async (final: QuantizationPlan) => {
    const written = writePlan(final);
    const report = await reportOn(
      final,
      written,
      {
        reference,
        ranges: ranges.values,
        calibrated: ranges.samples,
        judges: { float: floatOutputs, open: context.openFinished ?? finishedBy(evaluate, 'no engine was given') },
        heedless: async () => {
          const heedless = withoutHeed(options);
          return final === plan ? improve({ ...start, options: heedless }) : { ...final, options: heedless };
        },
        equalized: pairs,
        diagnostics: [...prepared.diagnostics, ...outlyingWarnings(leftOut, ranges, calibration.count)],
      },
      { calibration: fitted, measured, heldOut },
      { measure: runner('measure'), judge: runner('judge') },
    );
    return { graph: written.graph, report };
  };
  return { plan, reference, finish };
}

/** The first samples that calibration may read. @throws E_DATA_EMPTY */
function calibrationOf(dataset: Dataset, { samples }: QuantizeOptions): Dataset {
  if (dataset.count === 0) throw new HoneError('E_DATA_EMPTY', { path: dataset.name });
  return firstOf(dataset, samples);
}

/** Calibration samples by what is done with them besides choosing ranges. */
interface Samples {
  /** Those that repairs are fitted on: all but the ones held out. */
  readonly fitted: Dataset;
  /** What layers are measured on: those held out, or else some of the others. */
  readonly measured: Dataset;
  readonly heldOut: Dataset | undefined;
}

/**
 * Holds `heldOut` samples (whole batches where the graph fixes them), taken evenly, out of all that is fitted but ranges: these hang
 * on single far elements, so that with few samples each one counts. None where there are fewer than twice as many.
 */
function splitSamples(graph: Graph, calibration: Dataset, options: QuantizeOptions): Samples {
  const run = leastRun(graph, calibration);
  const held = Math.ceil(options.heldOut / run) * run;
  if (held === 0 || calibration.count < Math.max(2 * held, held + run))
    return { fitted: calibration, measured: firstOf(calibration, Math.max(16, run)), heldOut: undefined };
  const parts = splitEvenly(calibration, held);
  return { fitted: parts.rest, measured: parts.held, heldOut: parts.held };
}

function firstOf(samples: Dataset, count: number): Dataset {
  return samples.select(Array.from({ length: Math.min(samples.count, count) }, (_, index) => index));
}
