import type { Dataset } from '../../ir/dataset';
import { nameMaker, typeOf } from '../../ir/edit';
import type { Graph, Node, ValueType } from '../../ir/graph';
import { tensorOf, viewAs } from '../../ir/tensor';
import { type AffineParameters, type ConstantParameters, insertQdq, type QdqPlan } from '../../passes/insert-qdq';
import { collect, type Runner } from './calibrate';
import { ChannelMean } from './observer';
import { constantsOf, type QuantizationPlan, qdqPlanOf } from './plan';
import type { Layer } from './roles';

/**
 * Empirical bias correction (Nagel et al. 2019, section 4.2, with means from data instead of batch-norm statistics): the
 * bias of every layer takes off `E[quantized output] - E[float output]` per channel. Each layer is measured alone, on
 * quantized *float* activations, so one pass serves all of them and errors that earlier layers have corrected already are
 * not corrected again. Layers without a bias get one, except where the operator has none (MatMul). Layers with codes of their
 * own have corrected biases already.
 */
export async function correctBiases(
  plan: QuantizationPlan,
  dataset: Dataset,
  runner: Runner,
): Promise<QuantizationPlan> {
  const { graph } = plan;
  const qdq = qdqPlanOf(plan, constantsOf(plan));
  const chosen = plan.layers.filter(({ node }) => hasBias(node) && !plan.grids.has(node.name));
  const { graph: probed, probes } = probeLayers(graph, chosen, qdq);
  const means = chosen.map((layer) => {
    const channelAxis = layer.node.op === 'Gemm' ? -1 : 1;
    return { float: new ChannelMean(channelAxis), quantized: new ChannelMean(channelAxis) };
  });
  const requests = new Map(
    chosen.flatMap(({ node }, index) => [
      [node.outputs[0], [means[index].float]],
      [probes[index], [means[index].quantized]],
    ]),
  );
  await collect(probed, dataset, requests, runner);
  const shifts = chosen.map(({ node }, index) => {
    const [float, quantized] = [means[index].float.means(), means[index].quantized.means()];
    return [node.name, float.map((mean, channel) => mean - quantized[channel])] as const;
  });
  return shiftBiases(plan, new Map(shifts));
}

/** Whether the operator of a layer can have a bias. */
export function hasBias(node: Node): boolean {
  return node.op !== 'MatMul';
}

/** The plan with numbers added to the biases of some layers, by node name; layers without a bias get one. */
export function shiftBiases(plan: QuantizationPlan, shifts: ReadonlyMap<string, Float64Array>): QuantizationPlan {
  const { graph } = plan;
  const fresh = nameMaker(graph);
  const initializers = new Map(graph.initializers);
  const nodes = new Map<Node, Node>();
  const shifted = (layer: Layer): Layer => {
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
  layers: readonly Layer[],
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
