import { type Uses, usesOf } from '../../ir/edit';
import type { Graph, Node } from '../../ir/graph';
import { hasTrait, takesBias } from '../../ops/facts';
import { type LayerWeights, layerWeights, withWeights } from './layer-weights';

/** Sweeps over all pairs; scales of chains settle within a few. */
const MAX_SWEEPS = 40;
/** Largest relative change of a scale that counts as settled. */
const SETTLED = 1e-3;

interface Pair {
  readonly first: LayerWeights;
  readonly second: LayerWeights;
}

/** What equalization did. */
export interface Equalized {
  readonly graph: Graph;
  /** Node names of the pairs of layers whose channels were balanced. */
  readonly pairs: readonly (readonly [string, string])[];
}

/**
 * Cross-layer equalization (Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV
 * 2019, equations 9 to 11): between two layers (Conv, also depthwise, or Gemm) joined by operators with `f(s * x) = s * f(x)`,
 * channel i of the first is divided and channel i of the second multiplied by `s_i = sqrt(r1_i * r2_i) / r2_i`, with r the
 * largest weight of the channel. The network computes the same function, up to float32 rounding.
 * @param wanted tells by the name of its first layer whether a pair is balanced
 */
export function equalizeLayers(graph: Graph, wanted: (first: string) => boolean = () => true): Equalized {
  const layers = new Map<Node, LayerWeights>();
  const uses = usesOf(graph);
  for (const node of graph.nodes) {
    const layer = takesBias(node) ? layerWeights(graph, uses, node) : undefined;
    if (layer) layers.set(node, layer);
  }
  const pairs: Pair[] = [];
  for (const first of layers.values()) {
    const second = followingLayer(uses, first.node, layers);
    if (second && first.channels.units === second.channels.inputs && wanted(first.node.name))
      pairs.push({ first, second });
  }
  for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {
    const change = Math.max(0, ...pairs.map(balance));
    if (change < SETTLED) break;
  }
  return {
    graph: withWeights(graph, layers.values()),
    pairs: pairs.map(({ first, second }) => [first.node.name, second.node.name]),
  };
}

/** The layer behind `node` when nothing but equivariant operators, each read once, stands between. */
function followingLayer(uses: Uses, node: Node, layers: ReadonlyMap<Node, LayerWeights>): LayerWeights | undefined {
  for (let current = node; current.outputs.length === 1; ) {
    const next = uses.onlyConsumer(current.outputs[0]);
    if (next === undefined || next.inputs[0] !== current.outputs[0]) return undefined;
    const layer = layers.get(next);
    if (layer) return layer;
    if (!hasTrait(next, 'homogeneous')) return undefined;
    current = next;
  }
  return undefined;
}

/** Scales one pair; returns the largest relative change of a channel. */
function balance({ first, second }: Pair): number {
  const channels = first.channels.units;
  const firstRange = new Float64Array(channels);
  const secondRange = new Float64Array(channels);
  const outputOf = first.channels.unitAt;
  const inputOf = second.channels.inputAt;
  first.weight.forEach((w, i) => {
    firstRange[outputOf(i)] = Math.max(firstRange[outputOf(i)], Math.abs(w));
  });
  second.weight.forEach((w, i) => {
    secondRange[inputOf(i)] = Math.max(secondRange[inputOf(i)], Math.abs(w));
  });
  // A channel that is zero on one side carries nothing: it stays as it is.
  const scales = firstRange.map((range, i) => {
    const scale = Math.sqrt(range * secondRange[i]) / secondRange[i];
    return Number.isFinite(scale) && scale > 0 ? scale : 1;
  });
  for (let i = 0; i < first.weight.length; i++) first.weight[i] /= scales[outputOf(i)];
  if (first.bias) for (let i = 0; i < channels; i++) first.bias[i] /= scales[i];
  for (let i = 0; i < second.weight.length; i++) second.weight[i] *= scales[inputOf(i)];
  return scales.reduce((most, scale) => Math.max(most, Math.abs(scale - 1)), 0);
}
