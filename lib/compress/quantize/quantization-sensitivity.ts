import { z } from 'zod';
import type { Graph } from '../../ir/graph';
import { elementCount } from '../../ir/tensor';
import { prepareWithBodies } from '../../passes/prepare-with-bodies';
import { requireConsistent } from '../../passes/require-consistent';
import { type TrialContext, type TrialDamage, tryWeights, type WeightTrial } from '../weight-trials';
import { normalizeLayers } from './normalize-layers';
import { requireFloatGraph } from './plan';
import { choicesFor, DEFAULT_QUANTIZE_OPTIONS, type QuantizeOptions } from './quantize-options';
import { roleOf, type WeightedLayer } from './roles';
import { layerConstants, onGrid } from './weights';

/** What is tried, on how many samples. */
export const sensitivityOptions = z.strictObject({
  bits: z
    .array(z.number().int().min(2).max(8))
    .min(1)
    .readonly()
    .default([2, 3, 4, 5, 6, 8])
    .describe('bits of weights that every layer is tried with'),
  samples: z.number().int().min(1).default(128).describe('most validation samples that a trial runs'),
});
export type SensitivityOptions = z.output<typeof sensitivityOptions>;

/** What the network loses when the weights of one layer alone are quantized. */
export interface SensitivityRow extends TrialDamage {
  /** Node name. */
  readonly layer: string;
  readonly op: string;
  readonly bits: number;
  /** Weights of the layer. */
  readonly weights: number;
}

/** The sensitivity of all layers. */
export interface Sensitivity {
  /** By layer in graph order, then as `bits` was given. */
  readonly rows: readonly SensitivityRow[];
  /** Score of the float network on the same samples. */
  readonly floatScore: number | undefined;
  readonly samples: number;
}

type SensitivityContext = TrialContext & { readonly keep?: ReadonlySet<string> };

/**
 * Damage of quantizing the weights of each layer alone to each number of bits, on validation samples: the rest of the network
 * stays float. One session serves all trials, as weights are inputs of it. Schemes and granularities are those of `choices`.
 * @throws E_GRAPH_INVALID for a quantized graph or one that `requireConsistent` refuses, E_OPTION_VALUE, E_DATA_EMPTY, E_DATA_MISMATCH, E_INTERRUPTED
 */
export async function quantizationSensitivity(
  graph: Graph,
  context: SensitivityContext,
  { bits, samples }: SensitivityOptions,
  choices: QuantizeOptions = DEFAULT_QUANTIZE_OPTIONS,
): Promise<Sensitivity> {
  requireFloatGraph(graph);
  const float = normalizeLayers(requireConsistent(prepareWithBodies(graph)));
  const layers = layersOf(float).filter(({ node }) => !context.keep?.has(node.name));
  const trials = layers.flatMap((layer) => bits.map((weightBits) => trialOf(float, layer, weightBits, choices)));
  const { damages, ...rest } = await tryWeights(float, trials, samples, context);
  const rows = trials.map(({ layer: { node }, bits: weightBits, tensor }, index) => ({
    layer: node.name,
    op: node.op,
    bits: weightBits,
    weights: elementCount(tensor.dims),
    ...damages[index],
  }));
  return { rows, ...rest };
}

/** One layer with one number of bits. */
interface Trial extends WeightTrial {
  readonly layer: WeightedLayer;
  readonly bits: number;
}

function trialOf(graph: Graph, layer: WeightedLayer, bits: number, options: QuantizeOptions): Trial {
  const choices = { ...choicesFor(options, layer.node.name), weightBits: bits };
  const weight = layer.node.inputs[layer.weight.index];
  const tensor = onGrid(graph, layer, layerConstants(graph, layer, undefined, choices), choices);
  return { layer, bits, weight, tensor };
}

function layersOf(graph: Graph): WeightedLayer[] {
  return graph.nodes.flatMap((node) => {
    const role = roleOf(graph, node);
    return role.kind === 'layer' ? [role.layer] : [];
  });
}
