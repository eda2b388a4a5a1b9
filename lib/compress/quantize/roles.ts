import { typeOf, type Uses } from '../../ir/edit';
import type { Graph, Node } from '../../ir/graph';
import { toNumbers } from '../../ir/tensor';
import { hasTrait } from '../../ops/facts';
import { findOperator } from '../../ops/index';
import type { QuantizationPoint } from '../../ops/operator';

/** A node with constant weights that can run on integers. */
export interface WeightedLayer {
  readonly node: Node;
  /** The activation that it reads. */
  readonly input: string;
  readonly weight: { readonly index: number; readonly axis: number };
  /** Index of the bias input; undefined where the node has none. */
  readonly bias: number | undefined;
}

/**
 * What a node can be in a quantized network.
 * - `layer`: has weights; quantization starts and ends at layers
 * - `follower`: element-wise or pooling arithmetic with a scale of its own; runs on integers where all it reads is quantized
 * - `copy`: moves elements; shares one scale between what it reads and what it makes
 * - `float`: stays float
 */
export type Role =
  | { readonly kind: 'layer'; readonly layer: WeightedLayer }
  | { readonly kind: 'follower'; readonly operands: readonly string[] }
  | { readonly kind: 'copy'; readonly operands: readonly string[]; readonly fill: number }
  | { readonly kind: 'float'; readonly reason: string };

/** The role of `node` by the quantization rule of its operator. */
export function roleOf(graph: Graph, node: Node): Role {
  const operator = findOperator(node.domain, node.op);
  if (operator?.quantization === undefined) return float(`${node.op} has no quantization rule`);
  const rule = typeof operator.quantization === 'function' ? operator.quantization(node) : operator.quantization;
  if (rule.output === 'float') return float(`${node.op} stays float`);
  if (!node.outputs.every((output) => output === '' || isFloat32(graph, output)))
    return float('it makes no float32 data');

  const variadic = operator.schema.inputs.at(-1)?.presence === 'variadic';
  const pointOf = (index: number): QuantizationPoint | undefined =>
    rule.inputs[variadic ? Math.min(index, rule.inputs.length - 1) : index];
  const operands: string[] = [];
  let weight: WeightedLayer['weight'] | undefined;
  let bias: number | undefined;
  for (const [index, input] of node.inputs.entries()) {
    const point = input === '' ? undefined : pointOf(index);
    if (point === undefined || point.role === 'none') continue;
    if (!isFloat32(graph, input)) return float(`its input '${input}' is not known to be float32`);
    const constant = graph.initializers.get(input);
    if (point.role === 'bias') {
      if (!constant) return float(`its bias '${input}' is computed`);
      bias = index;
    } else if (point.role === 'weight' && constant) {
      weight = { index, axis: point.axis < 0 ? point.axis + constant.dims.length : point.axis };
      const wrong = weightProblem(constant.dims, weight.axis);
      if (wrong) return float(wrong);
    } else operands.push(input);
  }
  if (weight) {
    if (graph.initializers.has(operands[0])) return float('all it reads is constant');
    const channels = graph.initializers.get(node.inputs[weight.index])!.dims[weight.axis];
    if (bias !== undefined && graph.initializers.get(node.inputs[bias])!.dims.join() !== `${channels}`)
      return float(`its bias is not one number per channel (expected [${channels}])`);
    return { kind: 'layer', layer: { node, input: operands[0], weight, bias } };
  }
  if (bias !== undefined) return float('its weights are computed');
  if (rule.output === 'own') return { kind: 'follower', operands };
  const fill = fillOf(graph, node);
  if (fill === undefined) return float('its padding value cannot be represented');
  return { kind: 'copy', operands, fill };
}

function weightProblem(dims: readonly number[], axis: number): string | undefined {
  if (dims.length < 2 || dims.includes(0)) return `its weights have shape [${dims}]`;
  return axis < dims.length ? undefined : `its weights have no channel axis ${axis}`;
}

function float(reason: string): Role {
  return { kind: 'float', reason };
}

/** Whether a value is known to hold float32 elements. */
export function isFloat32(graph: Graph, value: string): boolean {
  return typeOf(graph, value)?.type === 'float32';
}

/** The number that a Pad node writes around its data, infinite too; undefined when it is computed or NaN. */
function fillOf(graph: Graph, node: Node): number | undefined {
  const name = node.op === 'Pad' ? node.inputs[2] : undefined;
  if (!name) return 0;
  const tensor = graph.initializers.get(name);
  const [fill] = tensor?.type === 'float32' ? toNumbers(tensor) : [];
  return Number.isNaN(fill) ? undefined : fill;
}

/** Bounds of a node that clamps its only data input (Relu, Clip with constant bounds), or undefined. */
export function clampBounds(graph: Graph, node: Node): readonly [number, number] | undefined {
  if (!hasTrait(node, 'rectifies')) return undefined;
  const call = findOperator(node.domain, node.op)?.lower?.({
    node,
    inputs: node.inputs.map((input) => typeOf(graph, input)),
    outputs: node.outputs.map((output) => typeOf(graph, output)),
    constant: (index) => graph.initializers.get(node.inputs[index]),
  });
  return call && 'kernel' in call && call.kernel === 'unary' ? call.clamp : undefined;
}

/**
 * The clamp that can be computed together with `node`, because it alone reads what the node makes; undefined when there is
 * none or `isFree` refuses it.
 */
export function fusedClamp(graph: Graph, uses: Uses, node: Node, isFree: (clamp: Node) => boolean): Node | undefined {
  const reader = node.outputs.length === 1 ? uses.onlyConsumer(node.outputs[0]) : undefined;
  return reader && clampBounds(graph, reader) && isFree(reader) ? reader : undefined;
}
