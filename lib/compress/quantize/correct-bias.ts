import type { Dataset } from '../../ir/dataset';
import { nameMaker, typeOf } from '../../ir/edit';
import type { Graph, Node, ValueType } from '../../ir/graph';
import { tensorOf, viewAs } from '../../ir/tensor';
import { type AffineParameters, type ConstantParameters, insertQdq, type QdqPlan } from '../../passes/insert-qdq';
import { collect, type Runner } from './calibrate';
import { ChannelMean } from './observer';
import type { Layer } from './roles';

/**
 * Empirical bias correction (Nagel et al. 2019, section 4.2, with means from data instead of batch-norm statistics): the
 * bias of every layer takes off `E[quantized output] - E[float output]` per channel. Each layer is measured alone, on
 * quantized *float* activations, so one pass serves all of them and errors that earlier layers have corrected already are
 * not corrected again. Layers without a bias get one, except where the operator has none (MatMul).
 */
export async function correctBiases(
  graph: Graph,
  layers: readonly Layer[],
  plan: QdqPlan,
  dataset: Dataset,
  runner: Runner,
): Promise<{ readonly graph: Graph; readonly layers: readonly Layer[] }> {
  const chosen = layers.filter((layer) => layer.node.op !== 'MatMul');
  const { graph: probed, probes } = probeLayers(graph, chosen, plan);
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

  const fresh = nameMaker(graph);
  const initializers = new Map(graph.initializers);
  const nodes = new Map<Node, Node>();
  const corrected = new Map<Layer, Layer>();
  chosen.forEach((layer, index) => {
    const { node } = layer;
    const [float, quantized] = [means[index].float.means(), means[index].quantized.means()];
    const old =
      layer.bias === undefined ? undefined : viewAs(graph.initializers.get(node.inputs[layer.bias])!, 'float32');
    const bias = Float32Array.from(float, (mean, channel) => (old?.[channel] ?? 0) - (quantized[channel] - mean));
    // A name of its own: the old bias may serve other layers too.
    const name = fresh(`${node.name}_corrected_bias`);
    initializers.set(name, tensorOf('float32', [bias.length], bias));
    const next = { ...node, inputs: [node.inputs[0], node.inputs[1], name] };
    nodes.set(node, next);
    corrected.set(layer, { ...layer, node: next, bias: 2 });
  });
  return {
    graph: { ...graph, initializers, nodes: graph.nodes.map((node) => nodes.get(node) ?? node) },
    layers: layers.map((layer) => corrected.get(layer) ?? layer),
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
