import type { Diagnostic } from '../../core/diagnostic';
import type { Dataset } from '../../ir/dataset';
import type { Graph } from '../../ir/graph';
import { elementCount } from '../../ir/tensor';
import { logitsOf } from '../logits-of';
import type { Runner } from './calibrate';
import { measureSqnr } from './measure';
import { choicesFor, type LayerChoices } from './options';
import type { QuantizationPlan, WrittenPlan } from './plan';
import type { ValueRange } from './ranges';
import { isFloat32 } from './roles';
import type { SkippedNode } from './select';

/** One quantized layer. */
interface LayerReport {
  readonly name: string;
  readonly op: string;
  /** SQNR of what the layer and its activation make, with all noise from before it; in dB on the measured samples. */
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
}

/** What quantization did and how far the result is from the float network. */
export interface QuantizeReport {
  readonly layers: readonly LayerReport[];
  /** One entry per group of values with one scale. */
  readonly values: readonly ValueRange[];
  /** Nodes of float data that stay float, each with the reason. */
  readonly skipped: readonly SkippedNode[];
  /** SQNR per graph output; of what goes into it where the output is a Softmax (logits). */
  readonly outputs: readonly { readonly name: string; readonly sqnrDb: number }[];
  readonly samples: {
    readonly calibration: number;
    /** Samples behind every SQNR. */
    readonly measured: number;
    /** Whether the measured samples were kept out of calibration (too few samples: they were not). */
    readonly heldOut: boolean;
  };
  /** Pairs of layers balanced by cross-layer equalization. */
  readonly equalized: readonly (readonly [string, string])[];
  readonly biasesCorrected: boolean;
  /** What preparing the graph found. */
  readonly diagnostics: readonly Diagnostic[];
}

/** What a report tells besides what can be read off the plan. */
interface ReportFacts extends Pick<QuantizeReport, 'samples' | 'equalized' | 'diagnostics'> {
  /** The float network to compare with. */
  readonly reference: Graph;
  readonly ranges: readonly ValueRange[];
}

/** Measures a written plan against the float network. @throws E_CALIBRATION, E_INTERRUPTED */
export async function reportOn(
  plan: QuantizationPlan,
  written: WrittenPlan,
  facts: ReportFacts,
  measured: Dataset,
  runner: Runner,
): Promise<QuantizeReport> {
  const { graph, selection, options } = plan;
  const rank = new Map(graph.nodes.map(({ name }, index) => [name, index]));
  const layers = [...plan.layers, ...plan.weightOnly].sort((a, b) => rank.get(a.node.name)! - rank.get(b.node.name)!);
  const floatOutputs = graph.outputs.filter((name) => isFloat32(graph, name));
  const logits = new Map(floatOutputs.map((name) => [name, logitsOf(graph, name)]));
  const resultOf = new Map(selection.clamps.map(({ input, output }) => [input, output]));
  const results = layers.map(({ node }) => resultOf.get(node.outputs[0]) ?? node.outputs[0]);
  const pairs = new Map(
    [...results, ...logits.values()].map((value) => [value, written.dequantized.get(value) ?? value]),
  );
  const sqnr = await measureSqnr(facts.reference, written.graph, pairs, measured, runner);
  return {
    layers: layers.map((layer, index) => {
      const { name, op } = layer.node;
      const { weight, widened } = written.constants.get(name)!;
      const { weightBits, scheme } = choicesFor(options, name);
      return {
        name,
        op,
        sqnrDb: sqnr.get(results[index])!,
        weights: elementCount(graph.initializers.get(layer.node.inputs[layer.weight.index])!.dims),
        weightBits,
        scheme,
        rounding: weight.integers ? 'adaround' : 'nearest',
        weightScales: weight.scales.length,
        arithmetic: plan.layers.includes(layer) ? 'integer' : 'float',
        widenedChannels: widened,
      };
    }),
    values: facts.ranges.map((range) => ({ ...range, ...plan.activations.get(range.value)! })),
    skipped: selection.skipped,
    outputs: [...logits].map(([name, value]) => ({ name, sqnrDb: sqnr.get(value)! })),
    samples: facts.samples,
    equalized: facts.equalized,
    biasesCorrected: options.biasCorrection,
    diagnostics: facts.diagnostics,
  };
}
