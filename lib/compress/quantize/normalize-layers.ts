import { attribute } from '../../ir/attribute';
import { nameMaker, removeDead, typeOf } from '../../ir/edit';
import type { Graph } from '../../ir/graph';
import { elementCount, type Tensor, tensorFrom, tensorOf, toNumbers, viewAs } from '../../ir/tensor';
import { normalizeAxes } from '../../ops/axes';
import { padsPerAxis } from '../../ops/pad-extents';

/**
 * The graph in forms that integer kernels take: `normalizeGemms`, and every Pad with pads for all of its axes, since onnxruntime
 * takes a list of axes apart wrongly between QuantizeLinear and DequantizeLinear.
 */
export function normalizeLayers(graph: Graph): Graph {
  return normalizePads(normalizeGemms(graph));
}

function normalizePads(graph: Graph): Graph {
  const fresh = nameMaker(graph);
  const initializers = new Map(graph.initializers);
  const nodes = graph.nodes.map((node) => {
    const axes =
      node.op === 'Pad' && node.domain === '' && node.inputs[3] ? graph.initializers.get(node.inputs[3]) : undefined;
    const pads = graph.initializers.get(node.inputs[1] ?? '');
    const rank = axes && typeOf(graph, node.inputs[0])?.shape?.length;
    if (!axes || !pads || rank === undefined) return node;
    // What does not fit is for shape inference to report.
    const listed = normalizeAxes(toNumbers(axes), rank);
    if (listed === undefined || elementCount(pads.dims) !== 2 * listed.length) return node;
    const all = padsPerAxis(rank, toNumbers(pads), listed).flat();
    const name = fresh(node.inputs[1]);
    initializers.set(name, tensorFrom('int64', [all.length], all));
    const [data, , value] = node.inputs;
    return { ...node, inputs: value ? [data, name, value] : [data, name] };
  });
  return removeDead({ ...graph, nodes, initializers });
}

/**
 * The graph with every Gemm in the form that integer kernels take: `alpha` and `beta` multiplied into constant weights and
 * bias, and the bias one number per output channel. A Gemm whose constants do not allow it stays as it is.
 */
function normalizeGemms(graph: Graph): Graph {
  const fresh = nameMaker(graph);
  const initializers = new Map(graph.initializers);
  const nodes = graph.nodes.map((node) => {
    if (node.op !== 'Gemm' || node.domain !== '') return node;
    const alpha = attribute(node, 'alpha', 'float', 1);
    const beta = attribute(node, 'beta', 'float', 1);
    const weight = floatConstant(graph, node.inputs[1]);
    const bias = floatConstant(graph, node.inputs[2]);
    if (weight?.dims.length !== 2 || (node.inputs[2] && bias === undefined)) return node;
    const channels = weight.dims[attribute(node, 'transB', 'int', 0) ? 0 : 1];
    const row = bias && rowOf(bias, channels);
    if (bias && !row) return node;
    if (alpha === 1 && beta === 1 && (!bias || bias.dims.join() === `${channels}`)) return node;
    const inputs = [...node.inputs];
    const replace = (index: number, tensor: Tensor) => {
      inputs[index] = fresh(node.inputs[index]);
      initializers.set(inputs[index], tensor);
    };
    if (alpha !== 1)
      replace(
        1,
        tensorOf(
          'float32',
          weight.dims,
          viewAs(weight, 'float32').map((w) => w * alpha),
        ),
      );
    if (row)
      replace(
        2,
        tensorOf(
          'float32',
          [channels],
          row.map((b) => b * beta),
        ),
      );
    const attributes = new Map([...node.attributes].filter(([name]) => name !== 'alpha' && name !== 'beta'));
    return { ...node, inputs, attributes };
  });
  return removeDead({ ...graph, nodes, initializers });
}

function floatConstant(graph: Graph, name: string | undefined): Tensor | undefined {
  const tensor = name ? graph.initializers.get(name) : undefined;
  return tensor?.type === 'float32' ? tensor : undefined;
}

/** One number per channel of a bias that is the same for every row; undefined when it is not. */
function rowOf(bias: Tensor, channels: number): Float32Array | undefined {
  const data = viewAs(bias, 'float32');
  if (data.length === 1) return new Float32Array(channels).fill(data[0]);
  return data.length === channels && bias.dims.at(-1) === channels ? data : undefined;
}
