import { HoneError } from '../../core/error';
import type { Dataset } from '../../ir/dataset';
import { typeOf } from '../../ir/edit';
import type { Evaluate, Graph } from '../../ir/graph';
import { prepareWithBodies } from '../../passes/prepare-with-bodies';
import { requireConsistent } from '../../passes/require-consistent';
import type { Trace } from '../../passes/rewrite';
import { macsOf, oneSample } from '../count-macs';
import { leastRun } from '../feeds';
import { finishedBy, type OpenFinished, type Release } from '../finished';
import { evenly, type Repair } from '../keep-if-better';
import { requireMeaning } from '../skip';
import { type Balanced, balanceChannels } from './balance-channels';
import type { Runner } from './calibrate';
import { biasShifts, shiftBiases } from './correct-bias';
import { type Equalized, equalizeLayers } from './equalize';
import type { Judges } from './judge-outputs';
import { normalizeLayers } from './normalize-layers';
import {
  type QuantizationPlan,
  requireFloatGraph,
  requireWork,
  type WrittenPlan,
  weightOnlyReason,
  writeQdq,
} from './plan';
import {
  choicesFor,
  type PartialQuantizeOptions,
  type QuantizeOptions,
  resolveQuantizeOptions,
  withoutHeed,
} from './quantize-options';
import {
  FEWEST_JUDGED,
  finishedJudge,
  type Judgement,
  openQuantizeRepairs,
  type QuantizeRepairs,
} from './quantize-repairs';
import type { Ranges } from './ranges';
import { applyRounding, roundLayers } from './reconstruct-rounding';
import { rememberOutputs } from './remember-outputs';
import { type QuantizeReport, reportOn } from './report';
import { type RobustRanges, robustRanges } from './robust-ranges';
import { isFloat32, type WeightedLayer } from './roles';
import { type Selection, selectQuantization } from './select-quantization';
import { type LayerCost, type SensitiveLayers, sensitiveLayers } from './sensitive-layers';
import { fewSamples, leftInFloat, outlyingWarnings, repairsOff } from './warnings';
import { requireFiniteConstants } from './weights';

/** Most samples that ranges of channels are taken of. */
const BALANCED = 256;
/** SQNR of outputs from which on balancing is not tried, and least gain that it is kept for. */
const [CLOSE_DB, BALANCED_DB] = [30, 0.2];

/** Most samples that layers are measured on: their inner values are large, and a few samples tell. */
const MEASURED = 16;

/** How far `quantize` is. */
export interface QuantizeProgress {
  /** `round` counts layers, the others samples. `measure` is about layers, `judge` about outputs. */
  readonly stage: 'calibrate' | 'balance' | 'round' | 'correct' | 'measure' | 'judge';
  /** Done and in all, of this stage. */
  readonly done: number;
  readonly total: number;
}

/** What `quantize` needs besides the graph. */
export interface QuantizeContext {
  /** Calibration samples; no labels needed. */
  readonly dataset: Dataset;
  readonly evaluate: Evaluate;
  /** Frees what `evaluate` keeps for a graph: the networks that are compared then need not be held at once. */
  readonly release?: Release | undefined;
  /** Opens the result to judge its outputs; by `evaluate` when left out. */
  readonly openFinished?: OpenFinished;
  readonly options?: PartialQuantizeOptions;
  /** Names of nodes that stay float, besides those of `options.skip`. */
  readonly keep?: ReadonlySet<string>;
  /** Learns of every rewrite of the graph. */
  readonly trace?: Trace | undefined;
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
 * @throws E_OPTION_UNKNOWN, E_OPTION_VALUE, E_GRAPH_INVALID (nodes that contradict each other, constants not finite, nothing to
 * quantize, quantized already),
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
  const prepared = prepareWithBodies(graph, { trace: context.trace });
  const normalized = normalizeLayers(requireConsistent(prepared));
  const calibration = calibrationOf(context.dataset, options);
  const { evaluate, outputs } = rememberOutputs(normalized, context.evaluate);
  const runner = (stage: QuantizeProgress['stage']): Runner => ({
    evaluate,
    ...(context.signal && { signal: context.signal }),
    onBatch: (done, total) => context.onProgress?.({ stage, done, total }),
  });

  requireMeaning(normalized, { names: Object.keys(options.layers), types: [] }, 'layers');
  // The network that is quantized, and nodes of it that stay float: balancing gives it others.
  let base: Pick<Balanced, 'graph' | 'float'> = { graph: normalized, float: new Set() };
  const select = (sensitive: ReadonlySet<string>) =>
    selectQuantization(base.graph, options.skip, {
      keep: new Set([...(context.keep ?? []), ...base.float]),
      sensitive,
      weightOnly: (layer) => weightOnlyReason(base.graph, layer, options),
    });
  let selection = select(new Set());
  requireWork(selection);
  const constants = [...selection.layers, ...selection.weightOnly].flatMap(({ node }) => node.inputs.slice(1));
  requireFiniteConstants(normalized, [...constants, ...selection.groups.flatMap((group) => group.sources)]);
  const producers = new Map(
    normalized.nodes.flatMap((node) => node.outputs.map((value) => [value, node.name] as const)),
  );
  const bitsOf = (value: string): number => {
    const clamp = selection.clamps.find(({ output }) => output === value);
    const producer = producers.get(clamp?.input ?? value);
    // Inputs and constants stay at 8 bits: nothing before them has made them coarse.
    return producer === undefined ? 8 : choicesFor(options, producer).activationBits;
  };
  const written = new WeakMap<QuantizationPlan, WrittenPlan>();
  const write = (plan: QuantizationPlan): WrittenPlan => {
    const known = written.get(plan) ?? writeQdq(plan);
    written.set(plan, known);
    return known;
  };
  const planOf = (graph: Graph, { parameters }: Ranges): QuantizationPlan => ({
    graph,
    layers: selection.layers,
    weightOnly: selection.weightOnly,
    selection,
    activations: parameters,
    grids: new Map(),
    options,
  });
  const startWith = async (equalized: Equalized): Promise<Start> => {
    const { graph, pairs } = equalized;
    const { ranges, leftOut } = await robustRanges(graph, selection, calibration, {
      options,
      bitsOf,
      written: (candidate) => write(planOf(graph, candidate)).graph,
      runner: runner('calibrate'),
    });
    return { plan: planOf(graph, ranges), pairs, ranges, leftOut };
  };

  let start = await startWith({ graph: normalized, pairs: [] });
  const left = new Set(start.leftOut.map(({ index }) => index));
  const usual = [...Array(calibration.count).keys()].filter((index) => !left.has(index));
  const { fitted, heldOut } = splitSamples(normalized, calibration, usual, options);
  const judges = { float: outputs, open: context.openFinished ?? finishedBy(evaluate, 'no engine was given') };
  const openJudged = () => openQuantizeRepairs(normalized, heldOut, judges, context.signal);
  const judge = finishedJudgeOf(start.plan, calibration.select(usual), judges, context.signal);
  const judged = (plan: QuantizationPlan) => judge?.(write(plan).graph);
  let balancedValues: readonly string[] = [];
  const plainly = options.balanceChannels && options.mode === 'static' ? await judged(start.plan) : undefined;
  if (plainly && plainly.sqnrDb < CLOSE_DB) {
    const balanced = await balanceChannels(start.plan, evenlyOf(fitted, BALANCED), runner('balance'));
    if (balanced.values.length > 0) {
      const plain = { base, selection, start };
      base = balanced;
      selection = select(new Set());
      start = await startWith({ graph: base.graph, pairs: [] });
      const { typicalDb } = (await judged(start.plan))!;
      if (typicalDb >= plainly.typicalDb + BALANCED_DB) balancedValues = balanced.values;
      else ({ base, selection, start } = plain);
    }
  }
  const sensitive = await findSensitive(base.graph, start.plan, select, judge, runner('judge').onBatch);
  if (sensitive) {
    selection = select(new Set(sensitive.names));
    start = await startWith({ graph: base.graph, pairs: [] });
  }
  const repairs = openJudged();
  if (repairs && options.crossLayerEqualization) start = await equalized(base.graph, start, startWith, write, repairs);
  const improve = async (initial: QuantizationPlan, kept: QuantizeRepairs | undefined): Promise<QuantizationPlan> => {
    if (!kept) return initial;
    const roundings = await roundLayers(initial, fitted, runner('round'));
    const rounded = roundings.map(
      (rounding): Repair<QuantizationPlan> => ({
        layer: rounding.layer,
        apply: (state) => applyRounding(state, rounding),
      }),
    );
    const plan = await kept.keep('rounding', initial, rounded, (state) => write(state).graph);
    const shifts = options.biasCorrection ? await biasShifts(plan, write(plan), fitted, runner('correct')) : new Map();
    const corrected = [...shifts].map(
      ([layer, shift]): Repair<QuantizationPlan> => ({
        layer,
        apply: (state) => shiftBiases(state, new Map([[layer, shift]])),
      }),
    );
    return kept.keep('biases', plan, corrected, (state) => write(state).graph);
  };
  const plan = await improve(start.plan, repairs);
  const finish = async (final: QuantizationPlan) => {
    const result = write(final);
    const report = await reportOn(
      final,
      result,
      {
        reference: start.plan.graph,
        ranges: start.ranges.values,
        calibrated: start.ranges.samples,
        judges,
        release: context.release,
        heedless: async () => {
          const heedless = withoutHeed(options);
          return final === plan
            ? improve({ ...start.plan, options: heedless }, openJudged())
            : { ...final, options: heedless };
        },
        equalized: start.pairs,
        balanced: balancedValues,
        repairs: repairs?.reports ?? [],
        diagnostics: [
          ...prepared.diagnostics,
          ...outlyingWarnings(start.leftOut, start.ranges, calibration.count),
          ...fewSamples(calibration.count),
          ...(sensitive ? [leftInFloat(sensitive)] : []),
          ...(repairs ? [] : repairsOff(options, usual.length)),
        ],
      },
      {
        calibration: fitted,
        heldOut: heldOut,
        measured: firstOf(heldOut ?? fitted, Math.max(MEASURED, leastRun(normalized, calibration))),
      },
      { measure: runner('measure'), judge: runner('judge') },
    );
    return { graph: result.graph, report };
  };
  return { plan, reference: start.plan.graph, finish };
}

/** Samples that tell whether to balance channels, and which layers are sensitive: ranges alone rest on them, and these on all. */
const SENSED = { least: 8, most: 256 } as const;
/** Multiply-accumulates that a judgement may take, where that allows more than the fewest samples. */
const SENSED_MACS = 1e9;

/** Judge of written networks by few samples, more of small networks; undefined where no output is float32. */
function finishedJudgeOf(
  { graph, layers }: Pick<QuantizationPlan, 'graph' | 'layers'>,
  samples: Dataset,
  judges: Judges,
  signal: AbortSignal | undefined,
): ((graph: Graph) => Promise<Judgement>) | undefined {
  const names = graph.outputs.filter((name) => isFloat32(graph, name));
  const macs = layerCosts(graph, layers).reduce((sum, layer) => sum + layer.macs, 1);
  const affordable = Math.max(SENSED.least, Math.min(SENSED.most, Math.floor(SENSED_MACS / macs)));
  const count = Math.min(Math.max(affordable, leastRun(graph, samples)), samples.count);
  return names.length > 0
    ? finishedJudge(names, samples.select(evenly(samples.count, count)), judges, signal)
    : undefined;
}

/** Layers to leave in float for the sake of the outputs; fewer bits than 8 are the caller's own choice, whatever they lose. */
async function findSensitive(
  graph: Graph,
  plan: QuantizationPlan,
  select: (sensitive: ReadonlySet<string>) => Selection,
  judge: ((graph: Graph) => Promise<Judgement>) | undefined,
  onLayer: ((done: number, total: number) => void) | undefined,
): Promise<SensitiveLayers | undefined> {
  const { options, layers, activations } = plan;
  const coarse = [options, ...Object.values(options.layers)].some(
    ({ weightBits = 8, activationBits = 8 }) => weightBits < 8 || activationBits < 8,
  );
  if (coarse || options.mode !== 'static' || judge === undefined) return undefined;
  const costs = layerCosts(graph, layers);
  const without = (float: ReadonlySet<string>): QuantizationPlan => {
    const selection = select(float);
    const values = selection.groups.flatMap((group) => group.values);
    // What is left keeps the ranges that it has among all.
    return {
      ...plan,
      selection,
      layers: selection.layers,
      activations: new Map(values.map((value) => [value, activations.get(value)!])),
    };
  };
  return sensitiveLayers(
    costs,
    options.floatShare,
    async (float) => (await judge(writeQdq(without(float)).graph)).worstDb,
    onLayer,
  );
}

function layerCosts(graph: Graph, layers: readonly WeightedLayer[]): readonly LayerCost[] {
  const bound = oneSample(graph);
  return layers.map(({ node }) => ({
    name: node.name,
    macs: macsOf(node, (value) => typeOf(bound, value)) ?? 0,
  }));
}

/** A network before any repair of single layers. */
interface Start extends RobustRanges {
  readonly plan: QuantizationPlan;
  /** Pairs of layers that were balanced. */
  readonly pairs: Equalized['pairs'];
}

/** The start with those pairs of layers balanced that held-out outputs gain by; each choice of pairs has ranges of its own. */
async function equalized(
  graph: Graph,
  plain: Start,
  startWith: (equalized: Equalized) => Promise<Start>,
  write: (plan: QuantizationPlan) => WrittenPlan,
  repairs: QuantizeRepairs,
): Promise<Start> {
  const starts = new Map<string, Promise<Start>>([['', Promise.resolve(plain)]]);
  const startOf = (names: readonly string[]): Promise<Start> => {
    const key = names.join('\n');
    const known = starts.get(key) ?? startWith(equalizeLayers(graph, (name) => names.includes(name)));
    starts.set(key, known);
    return known;
  };
  const pairs = equalizeLayers(graph).pairs.map(
    ([first]): Repair<readonly string[]> => ({
      layer: first,
      apply: (names) => [...names, first],
    }),
  );
  const none: readonly string[] = [];
  return startOf(
    await repairs.keep('equalization', none, pairs, async (names) => write((await startOf(names)).plan).graph),
  );
}

/** The first samples that calibration may read. @throws E_DATA_EMPTY */
function calibrationOf(dataset: Dataset, { samples }: QuantizeOptions): Dataset {
  if (dataset.count === 0) throw new HoneError('E_DATA_EMPTY', { path: dataset.name });
  return firstOf(dataset, samples);
}

/**
 * Holds `heldOut` of the usual samples (whole batches where the graph fixes them), taken evenly, out of all that is fitted but
 * ranges: these hang on single far elements, so that with few samples each one counts. Half where there are fewer than twice as many; none
 * where that is too few to judge by.
 */
function splitSamples(
  graph: Graph,
  calibration: Dataset,
  usual: readonly number[],
  options: QuantizeOptions,
): { readonly fitted: Dataset; readonly heldOut: Dataset | undefined } {
  const partOf = (indices: readonly number[]) => calibration.select(indices);
  const run = leastRun(graph, calibration);
  const wanted = Math.min(options.heldOut, usual.length >> 1);
  const held = Math.ceil(wanted / run) * run;
  if (wanted < FEWEST_JUDGED || usual.length < Math.max(2 * wanted, held + run))
    return { fitted: partOf(usual), heldOut: undefined };
  const out = new Set(evenly(usual.length, held));
  return {
    fitted: partOf(usual.filter((_, at) => !out.has(at))),
    heldOut: partOf(usual.filter((_, at) => out.has(at))),
  };
}

function evenlyOf(samples: Dataset, count: number): Dataset {
  return count < samples.count ? samples.select(evenly(samples.count, count)) : samples;
}

function firstOf(samples: Dataset, count: number): Dataset {
  return samples.select(Array.from({ length: Math.min(samples.count, count) }, (_, index) => index));
}
