import type { Diagnostic } from '../../core/diagnostic';
import type { Dataset } from '../../ir/dataset';
import type { Graph } from '../../ir/graph';
import { elementCount } from '../../ir/tensor';
import type { JudgedBy, Release } from '../finished';
import type { Runner } from './calibrate';
import { type JudgedSamples, type Judges, judgeOutputs, type OutputSqnr } from './judge-outputs';
import { comparePower, decibels } from './measure-quality';
import { type QuantizationPlan, type WrittenPlan, writeQdq } from './plan';
import { choicesFor, type LayerChoices } from './quantize-options';
import type { QuantizeRepair } from './quantize-repairs';
import type { ValueRange } from './ranges';
import type { Selection, SkippedNode } from './select-quantization';
import { refusedElsewhere, weakResults } from './warnings';
import { pairsOf } from './weights';

/** One quantized layer. */
interface LayerReport {
  readonly name: string;
  readonly op: string;
  /**
   * SQNR of what is read of the layer and its activation, with all noise from before it; in dB on the measured samples, in
   * onnxruntime (the engine shows no inner values), in a form that cannot saturate.
   */
  readonly sqnrDb: number;
  /** Number of weights. */
  readonly weights: number;
  readonly weightBits: number;
  readonly scheme: LayerChoices['scheme'];
  /** How its codes were found; `nearest` too where a layer has no form that AdaRound takes. */
  readonly rounding: LayerChoices['rounding'];
  /** Weight scales: one per output channel, one per block, or one in all. */
  readonly weightScales: number;
  /** What it computes on: float layers have quantized weights and float activations. */
  readonly arithmetic: 'integer' | 'float';
  /** Output channels whose weight scale was widened so that int32 sums cannot overflow. */
  readonly widenedChannels: readonly number[];
  /** Pairs of products that x86 without 8-bit dot products adds up in 16 bits. */
  readonly pairs: number;
  /** Those of them that can saturate there; 0 under `avoidSaturation`. */
  readonly saturatingPairs: number;
  /** Output channels with such pairs. */
  readonly saturatingChannels: readonly number[];
  /** Output channels that use fewer codes, so that they have none. */
  readonly narrowedChannels: readonly number[];
}

/** What quantization did and how far the result is from the float network. */
export interface QuantizeReport {
  readonly layers: readonly LayerReport[];
  /** One entry per group of values with one scale. */
  readonly values: readonly ValueRange[];
  /** Nodes of float data that stay float, each with the reason. */
  readonly skipped: readonly SkippedNode[];
  readonly outputs: readonly OutputSqnr[];
  /** What ran the result for `outputs`. */
  readonly judgedBy: JudgedBy;
  /** The outputs as they would be without `avoidSaturation`; null where it is not asked for or changes nothing. */
  readonly outputsWithSaturation: readonly OutputSqnr[] | null;
  readonly samples: {
    readonly calibration: number;
    /** Samples behind the SQNR of layers. */
    readonly measured: number;
    /** Samples behind the SQNR of outputs. */
    readonly judged: number;
    /** Whether nothing but ranges rests on the measured samples (too few samples: they were not held out). */
    readonly heldOut: boolean;
  };
  /** Pairs of layers balanced by cross-layer equalization. */
  readonly equalized: readonly (readonly [string, string])[];
  /** Values whose channels were scaled so that quiet ones have codes too. */
  readonly balanced: readonly string[];
  /** Repairs that were tried, with those that held-out samples spoke for. */
  readonly repairs: readonly QuantizeRepair[];
  /** What preparing the graph found, and warnings about samples and weights. */
  readonly diagnostics: readonly Diagnostic[];
}

/** What a report tells besides what can be read off the plan. */
interface ReportFacts extends Pick<QuantizeReport, 'equalized' | 'balanced' | 'repairs' | 'diagnostics'> {
  /** The float network to compare with. */
  readonly reference: Graph;
  readonly ranges: readonly ValueRange[];
  /** Calibration samples that were read. */
  readonly calibrated: number;
  readonly judges: Judges;
  readonly release?: Release | undefined;
  /** The plan that pays no heed to saturation, to say what that costs. */
  readonly heedless: () => Promise<QuantizationPlan>;
}

/** What runs the passes of a report. */
interface ReportRunners {
  readonly measure: Runner;
  readonly judge: Runner;
}

/** Where the elements of a value are looked at: behind the MaxPool that alone reads it. */
function readAt({ groups }: Selection, value: string): string {
  const group = groups.find(({ values }) => values.includes(value));
  return group?.sources.length === 1 && group.read.length === 1 ? group.read[0] : value;
}

/** Measures a written plan against the float network. @throws E_CALIBRATION, E_INTERRUPTED */
export async function reportOn(
  plan: QuantizationPlan,
  written: WrittenPlan,
  facts: ReportFacts,
  samples: JudgedSamples & { readonly measured: Dataset },
  runners: ReportRunners,
): Promise<QuantizeReport> {
  const { graph, selection, options } = plan;
  const rank = new Map(graph.nodes.map(({ name }, index) => [name, index]));
  const layers = [...plan.layers, ...plan.weightOnly].sort((a, b) => rank.get(a.node.name)! - rank.get(b.node.name)!);
  const resultOf = new Map(selection.clamps.map(({ input, output }) => [input, output]));
  const results = layers.map(({ node }) => readAt(selection, resultOf.get(node.outputs[0]) ?? node.outputs[0]));
  const { reference, release } = facts;
  const { evaluate } = runners.measure;
  const power = await comparePower(
    {
      graph: reference,
      float: (inputs, names) => evaluate(reference, inputs, names),
      quantized: (inputs, names) => evaluate(written.graph, inputs, names),
      ...(release && { releaseFloat: () => release(reference) }),
      pairs: new Map(results.map((value) => [value, written.dequantized.get(value) ?? value])),
    },
    samples.measured,
    runners.measure,
  );
  await release?.(written.graph);
  const judge = (quantized: Graph) => judgeOutputs(reference, quantized, facts.judges, samples, runners.judge);
  const judgement = await judge(written.graph);
  const narrows = layers.some(({ node }) => written.constants.get(node.name)!.narrowed.length > 0);
  const heedless = narrows ? await judge(writeQdq(await facts.heedless()).graph) : undefined;
  const rows = layers.map((layer, index): LayerReport => {
    const { name, op } = layer.node;
    const { weight, widened, narrowed } = written.constants.get(name)!;
    const { weightBits, scheme } = choicesFor(options, name);
    const { signal, noise } = power.get(results[index])!;
    const arithmetic = plan.layers.includes(layer) ? 'integer' : 'float';
    const input = arithmetic === 'integer' ? plan.activations.get(layer.input) : undefined;
    const pairs = pairsOf(graph, layer, input, weight);
    return {
      name,
      op,
      sqnrDb: decibels(signal, noise),
      weights: elementCount(graph.initializers.get(layer.node.inputs[layer.weight.index])!.dims),
      weightBits,
      scheme,
      rounding: weight.integers ? 'adaround' : 'nearest',
      weightScales: weight.scales.length,
      arithmetic,
      widenedChannels: widened,
      pairs: pairs.pairs,
      saturatingPairs: pairs.saturating,
      saturatingChannels: pairs.channels,
      narrowedChannels: narrowed,
    };
  });
  return {
    layers: rows,
    values: facts.ranges.map((range) => ({ ...range, ...plan.activations.get(range.value)! })),
    skipped: selection.skipped,
    outputs: judgement.outputs,
    judgedBy: judgement.judgedBy,
    outputsWithSaturation: heedless?.outputs ?? null,
    samples: {
      calibration: facts.calibrated,
      measured: samples.measured.count,
      judged: judgement.samples,
      heldOut: samples.heldOut !== undefined,
    },
    equalized: facts.equalized,
    balanced: facts.balanced,
    repairs: facts.repairs,
    diagnostics: [
      ...facts.diagnostics,
      ...refusedElsewhere(graph, (value) => plan.activations.has(value)),
      ...weakResults(rows, judgement.outputs, options),
      ...saturationNotices({ layers: rows }),
    ],
  };
}

/** What a user of other runtimes should know of the weights; nothing where no pair of products can leave 16 bits. */
export function saturationNotices({ layers }: Pick<QuantizeReport, 'layers'>): Diagnostic[] {
  const unsafe = layers.filter(({ saturatingPairs }) => saturatingPairs > 0);
  if (unsafe.length === 0) return [];
  const share = (layer: LayerReport) => layer.saturatingPairs / layer.pairs;
  const worst = unsafe.reduce((a, b) => (share(b) > share(a) ? b : a));
  const message =
    `${unsafe.length} of ${layers.length} layers have pairs of products that can leave 16 bits (here ` +
    `${worst.saturatingPairs} of ${worst.pairs}, the largest share): runtimes that add pairs in 16 bits (onnxruntime and others on ` +
    'x86 without 8-bit dot products) may lose accuracy with this file, the engine of Hone does not; avoidSaturation ' +
    '(--avoid-saturation) keeps clear of it with fewer codes in those channels';
  return [{ severity: 'warning', kind: 'saturation', where: worst.name, message }];
}
