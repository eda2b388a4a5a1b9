import { formatDiagnostics } from '../../core/diagnostic';
import { HoneError } from '../../core/error';
import type { Graph } from '../../ir/graph';
import {
  type AffineParameters,
  type ConstantParameters,
  insertQdq,
  type QdqGraph,
  type QdqPlan,
} from '../../passes/insert-qdq';
import { rangeOf } from './affine';
import { choicesFor, type QuantizeOptions } from './quantize-options';
import type { WeightedLayer } from './roles';
import type { FusedClamp, Selection } from './select-quantization';
import { type ChosenGrid, hasBlocks, type LayerConstants, layerConstants } from './weights';

/** Everything that decides over a quantized network; methods change parts of it before it is written as a graph. */
export interface QuantizationPlan {
  /** The float network: prepared, and with the biases that it shall have. */
  readonly graph: Graph;
  /** Layers that run on integers, and those that only have quantized weights; nodes of `graph`, in graph order. */
  readonly layers: readonly WeightedLayer[];
  readonly weightOnly: readonly WeightedLayer[];
  readonly selection: Selection;
  /** Scale and zero point of every quantized value. */
  readonly activations: ReadonlyMap<string, AffineParameters>;
  /** Grids of weights by node name, where they are not simply fitted to the weights. */
  readonly grids: ReadonlyMap<string, ChosenGrid>;
  readonly options: QuantizeOptions;
}

/** A plan written as a graph. */
export interface WrittenPlan extends QdqGraph {
  /** Quantization of the constants of every layer, by node name. */
  readonly constants: ReadonlyMap<string, LayerConstants>;
}

/** The network that a plan describes, with QuantizeLinear/DequantizeLinear pairs. */
export function writeQdq(plan: QuantizationPlan): WrittenPlan {
  const constants = layerConstantsOf(plan);
  return { ...insertQdq(plan.graph, qdqPlanOf(plan, constants)), constants };
}

/** Where `insertQdq` shall quantize what. */
export function qdqPlanOf(plan: QuantizationPlan, constants: ReadonlyMap<string, LayerConstants>): QdqPlan {
  const { activations, selection } = plan;
  const byNode = [...plan.layers, ...plan.weightOnly].map((layer) => {
    const { weight, bias } = constants.get(layer.node.name)!;
    const inputs = new Map<number, ConstantParameters>([[layer.weight.index, weight]]);
    if (bias !== undefined) inputs.set(layer.bias!, bias);
    return [layer.node.name, inputs] as const;
  });
  return {
    activations: new Map([...activations, ...pairsBeforeClamps(selection.clamps, activations)]),
    constants: new Map(byNode),
  };
}

/** Quantization of the weights and biases of every layer, by node name. */
export function layerConstantsOf(plan: QuantizationPlan): ReadonlyMap<string, LayerConstants> {
  const { graph, layers, weightOnly, activations, grids, options } = plan;
  const constants = (layer: WeightedLayer, input: AffineParameters | undefined) => {
    const { name } = layer.node;
    return [name, layerConstants(graph, layer, input, choicesFor(options, name), grids.get(name))] as const;
  };
  return new Map([
    ...layers.map((layer) => constants(layer, activations.get(layer.input)!)),
    ...weightOnly.map((layer) => constants(layer, undefined)),
  ]);
}

/** Why a layer quantizes its weights alone; undefined where it runs on integers. */
export function weightOnlyReason(graph: Graph, layer: WeightedLayer, options: QuantizeOptions): string | undefined {
  if (options.mode === 'dynamic-range') return 'its weights alone are quantized';
  const { granularity, blockSize } = choicesFor(options, layer.node.name);
  return hasBlocks(graph, layer, granularity)
    ? `its weights have scales per block of ${blockSize}, which integer kernels do not take`
    : undefined;
}

/**
 * Pairs in front of clamps that quantization cannot absorb, because the shared range behind them reaches beyond the clamp:
 * the same scale on both sides, so that the clamp is exact on integers.
 */
function pairsBeforeClamps(
  clamps: readonly FusedClamp[],
  parameters: ReadonlyMap<string, AffineParameters>,
): Map<string, AffineParameters> {
  const pairs = new Map<string, AffineParameters>();
  for (const { input, output, bounds } of clamps) {
    const affine = parameters.get(output)!;
    const { low, high } = rangeOf(affine);
    if (low < bounds[0] || high > bounds[1]) pairs.set(input, affine);
  }
  return pairs;
}

/** @throws E_GRAPH_INVALID when the graph has QuantizeLinear or DequantizeLinear nodes */
export function requireFloatGraph(graph: Graph): void {
  const node = graph.nodes.find(({ op }) => op === 'QuantizeLinear' || op === 'DequantizeLinear');
  if (node === undefined) return;
  throw invalid('already-quantized', `node ${node.name}`, 'the model is quantized already; expected the float model');
}

/** @throws E_GRAPH_INVALID when there is no layer to quantize */
export function requireWork({ layers, weightOnly, skipped }: Selection): void {
  if (layers.length + weightOnly.length > 0) return;
  const reasons = skipped.slice(0, 5).map(({ name, reason }) => `${name}: ${reason}`);
  throw invalid('nothing-to-quantize', 'graph', `no layer can run on integers (${reasons.join('; ') || 'no nodes'})`);
}

function invalid(kind: string, where: string, message: string): HoneError {
  return new HoneError('E_GRAPH_INVALID', {
    diagnostics: formatDiagnostics([{ severity: 'error', kind, where, message }]),
  });
}
