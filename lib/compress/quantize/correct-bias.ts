import type { Dataset } from '../../ir/dataset';
import { nameMaker, typeOf } from '../../ir/edit';
import type { Graph, Node, ValueType } from '../../ir/graph';
import { tensorOf, viewAs } from '../../ir/tensor';
import { layerOf, takesBias } from '../../ops/facts';
import { type AffineParameters, type ConstantParameters, insertQdq, type QdqPlan } from '../../passes/insert-qdq';
import { leastRun } from '../feeds';
import { splitEvenly } from '../keep-if-better';
import { collect, type Runner } from './calibrate';
import { ChannelMean } from './observer';
import { type QuantizationPlan, qdqPlanOf, type WrittenPlan } from './plan';
import type { WeightedLayer } from './roles';

/** Samples that means are taken of: fewer where every layer has this many positions in them, as pictures have. */
const MOST_SAMPLES = 16;
const LEAST_SAMPLES = 8;
const POSITIONS = 256;

/**
 * Empirical bias correction (Nagel et al. 2019, section 4.2, with means from data instead of batch-norm statistics): what the
 * bias of every layer, by node name, needs so that `E[quantized output] = E[float output]` per channel. Each layer is measured alone, on
 * quantized *float* activations, so one pass serves all of them and errors that earlier layers have corrected already are
 * not corrected again. A few samples tell: what is averaged is noise that all positions share. Layers whose operator has no bias (MatMul)
 * and layers with codes of their own, which have corrected biases already, are left out.
 */
export async function biasShifts(
  plan: QuantizationPlan,
  { constants }: Pick<WrittenPlan, 'constants'>,
  dataset: Dataset,
  runner: Runner,
): Promise<ReadonlyMap<string, Float64Array>> {
  const { graph } = plan;
  const chosen = plan.layers.filter(({ node }) => takesBias(node) && !plan.grids.has(node.name));
  if (chosen.length === 0) return new Map();
  const qdq = qdqPlanOf(plan, constants);
  const { graph: probed, probes } = probeLayers(graph, chosen, qdq);
  const means = chosen.map((layer) => {
    const channelAxis = layerOf(layer.node)!.unitAxis!;
    return { float: new ChannelMean(channelAxis), quantized: new ChannelMean(channelAxis) };
  });
  const requests = new Map(
    chosen.flatMap(({ node }, index) => [
      [node.outputs[0], [means[index].float]],
      [probes[index], [means[index].quantized]],
    ]),
  );
  await collect(probed, someOf(graph, chosen, dataset), requests, runner);
  return new Map(
    chosen.map(({ node }, index) => {
      const [float, quantized] = [means[index].float.means(), means[index].quantized.means()];
      return [node.name, float.map((mean, channel) => mean - quantized[channel])] as const;
    }),
  );
}

/** As many samples, taken evenly, as give every layer enough positions to average over. */
function someOf(graph: Graph, layers: readonly WeightedLayer[], dataset: Dataset): Dataset {
  const positions = layers.map(({ node }) => {
    const extents = typeOf(graph, node.outputs[0])?.shape?.slice(2) ?? [];
    return extents.reduce<number>((product, extent) => product * (typeof extent === 'number' ? extent : 1), 1);
  });
  const wanted = Math.min(MOST_SAMPLES, Math.max(LEAST_SAMPLES, Math.ceil(POSITIONS / Math.min(...positions))));
  const run = leastRun(graph, dataset);
  const count = Math.ceil(wanted / run) * run;
  return count < dataset.count ? splitEvenly(dataset, count).held : dataset;
}

/** The plan with numbers added to the biases of some layers, by node name; layers without a bias get one. */
export function shiftBiases(plan: QuantizationPlan, shifts: ReadonlyMap<string, Float64Array>): QuantizationPlan {
  const { graph } = plan;
  const fresh = nameMaker(graph);
  const initializers = new Map(graph.initializers);
  const nodes = new Map<Node, Node>();
  const shifted = (layer: WeightedLayer): WeightedLayer => {
    const { node } = layer;
    const shift = shifts.get(node.name);
    if (shift === undefined) return layer;
    const old =
      layer.bias === undefined ? undefined : viewAs(graph.initializers.get(node.inputs[layer.bias])!, 'float32');
    const bias = Float32Array.from(shift, (step, channel) => (old?.[channel] ?? 0) + step);
    // A name of its own: the old bias may serve other layers too.
    const name = fresh(`${node.name}_corrected_bias`);
    initializers.set(name, tensorOf('float32', [bias.length], bias));
    const next = { ...node, inputs: [node.inputs[0], node.inputs[1], name] };
    nodes.set(node, next);
    return { ...layer, node: next, bias: 2 };
  };
  const [layers, weightOnly] = [plan.layers.map(shifted), plan.weightOnly.map(shifted)];
  return {
    ...plan,
    layers,
    weightOnly,
    graph: { ...graph, initializers, nodes: graph.nodes.map((node) => nodes.get(node) ?? node) },
  };
}

/** The float graph with a quantized copy beside each layer, fed with the quantized form of the layer's float input. */
function probeLayers(
  graph: Graph,
  layers: readonly WeightedLayer[],
  plan: QdqPlan,
): { readonly graph: Graph; readonly probes: readonly string[] } {
  const activations = new Map<string, AffineParameters>();
  const constants = new Map<string, ReadonlyMap<number, ConstantParameters>>();
  const fresh = nameMaker(graph);
  const values = new Map(graph.values);
  const declare = (name: string, type: ValueType | undefined) => type && values.set(name, type);
  const added: Node[] = [];
  const probes = layers.map(({ node, input }) => {
    const copy = fresh(`${node.name}_probe_input`);
    const name = fresh(`${node.name}_probe`);
    declare(copy, typeOf(graph, input));
    declare(name, typeOf(graph, node.outputs[0]));
    added.push({
      name: copy,
      op: 'Identity',
      domain: '',
      inputs: [input],
      outputs: [copy],
      attributes: new Map(),
    });
    added.push({ ...node, name, outputs: [name], inputs: [copy, ...node.inputs.slice(1)] });
    activations.set(copy, plan.activations.get(input)!);
    constants.set(name, plan.constants.get(node.name)!);
    return name;
  });
  const widened = { ...graph, values, nodes: [...graph.nodes, ...added], outputs: [...graph.outputs, ...probes] };
  return { graph: insertQdq(widened, { activations, constants }).graph, probes };
}
