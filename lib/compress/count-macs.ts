import type { Graph, Node, ValueType } from '../ir/graph';
import { toNumbers } from '../ir/tensor';
import { findOperator } from '../ops/index';
import { bindToOneSample } from '../passes/bind-inputs';
import { inferShapes } from '../passes/infer-shapes';

/** Multiply-accumulates of a graph. */
export interface MacCount {
  /** Those that are known. */
  readonly macs: number;
  /** Names of nodes that have some, too, but not known how many: an extent is not. */
  readonly unknown: readonly string[];
}

/** Operators that multiply and accumulate, also those whose cost Hone does not know. */
export const MAC_OPERATORS: ReadonlySet<string> = new Set([
  ...['Conv', 'ConvTranspose', 'MatMul', 'Gemm', 'LSTM', 'GRU', 'RNN', 'Einsum', 'DeformConv', 'Attention'],
  ...['QLinearConv', 'QLinearMatMul', 'ConvInteger', 'MatMulInteger'],
]);

/** Multiply-accumulates of one sample; nodes whose cost is not known are not in it. Expects the dialect. */
export function countMacs(graph: Graph): number {
  return measureMacs(graph).macs;
}

/**
 * Multiply-accumulates of one sample, and the nodes that it cannot tell them of. Of an If it counts the dearer branch, of a Loop
 * or Scan every round of the body, as many as are known. Expects the dialect.
 */
export function measureMacs(graph: Graph): MacCount {
  return measureBound(oneSample(graph));
}

/** The graph with the extents of one sample, as far as its inputs have them; names stay. */
export function oneSample(graph: Graph): Graph {
  const bound = bindToOneSample(graph);
  return bound === graph ? graph : inferShapes(bound).graph;
}

/** Multiply-accumulates of a node alone whose values have these types; undefined when an extent or its cost is not known. */
export function macsOf(node: Node, typeOf: (name: string) => ValueType | undefined): number | undefined {
  const types = [...node.inputs, ...node.outputs].filter((name) => name !== '').map(typeOf);
  const known = types.every((type) => type?.shape?.every((dim) => typeof dim === 'number'));
  return known
    ? findOperator(node.domain, node.op)?.cost?.(node.inputs.map(typeOf), node.outputs.map(typeOf), node).macs
    : undefined;
}

function measureBound(graph: Graph): MacCount {
  const typeOf = (name: string): ValueType | undefined => {
    const tensor = graph.initializers.get(name);
    return tensor ? { type: tensor.type, shape: tensor.dims } : graph.values.get(name);
  };
  let macs = 0;
  const unknown: string[] = [];
  for (const node of graph.nodes) {
    const inner = measureBodies(graph, node, typeOf);
    macs += inner.macs;
    unknown.push(...inner.unknown);
    const own = macsOf(node, typeOf);
    if (own !== undefined) macs += own;
    else if (MAC_OPERATORS.has(node.op)) unknown.push(node.name);
  }
  return { macs, unknown };
}

function measureBodies(graph: Graph, node: Node, typeOf: (name: string) => ValueType | undefined): MacCount {
  const bodies = [...node.attributes.values()].flatMap((entry) => (entry.kind === 'graph' ? [entry.value] : []));
  if (bodies.length === 0) return { macs: 0, unknown: [] };
  const counts = bodies.map((body) => measureBound(inScope(body, graph, node, typeOf)));
  const [most] = [...counts].sort((a, b) => b.unknown.length - a.unknown.length || b.macs - a.macs);
  const rounds = node.op === 'If' || most.macs === 0 ? 1 : roundsOf(node, graph, typeOf);
  return rounds === undefined
    ? { macs: 0, unknown: [...most.unknown, node.name] }
    : { ...most, macs: rounds * most.macs };
}

/** A body with what it sees of the graph around it, and all types inferred. */
function inScope(body: Graph, outer: Graph, node: Node, typeOf: (name: string) => ValueType | undefined): Graph {
  const values = new Map([...outer.values, ...body.values]);
  body.inputs.forEach((name, index) => {
    const seen = bodyInput(node, index, body.inputs.length, typeOf);
    if (seen !== undefined) values.set(name, seen);
  });
  const initializers = new Map([...outer.initializers, ...body.initializers]);
  // What is captured is an input of the body as a graph of its own.
  const inputs = [...new Set([...body.inputs, ...outer.values.keys()])].filter((name) => !initializers.has(name));
  return inferShapes({ ...body, inputs, values, initializers, opsets: outer.opsets }).graph;
}

/** Type of an input of a Loop or Scan body, from what the node hands in. Loop: iteration, condition, then the state. */
function bodyInput(
  node: Node,
  index: number,
  count: number,
  typeOf: (name: string) => ValueType | undefined,
): ValueType | undefined {
  if (node.op === 'Loop') return index < 2 ? undefined : typeOf(node.inputs[index] ?? '');
  if (node.op !== 'Scan') return undefined;
  const scanned = scanInputs(node);
  const type = typeOf(node.inputs[index] ?? '');
  if (index < count - scanned || type?.shape === undefined) return type;
  const axis = scanAxis(node, index - (count - scanned), type.shape.length);
  return { type: type.type, shape: type.shape.toSpliced(axis, 1) };
}

/** How often the body of a Loop or Scan runs; undefined when the graph does not tell. */
function roundsOf(node: Node, graph: Graph, typeOf: (name: string) => ValueType | undefined): number | undefined {
  if (node.op === 'Loop') {
    const limit = graph.initializers.get(node.inputs[0] ?? '');
    return limit?.type === 'int64' ? toNumbers(limit)[0] : undefined;
  }
  const at = node.inputs.length - scanInputs(node);
  const shape = typeOf(node.inputs[at] ?? '')?.shape;
  const extent = node.op === 'Scan' && shape ? shape[scanAxis(node, 0, shape.length)] : undefined;
  return typeof extent === 'number' ? extent : undefined;
}

function scanInputs(node: Node): number {
  const entry = node.attributes.get('num_scan_inputs');
  return entry?.kind === 'int' ? entry.value : 1;
}

function scanAxis(node: Node, index: number, rank: number): number {
  const entry = node.attributes.get('scan_input_axes');
  const axis = entry?.kind === 'ints' ? (entry.value[index] ?? 0) : 0;
  return axis < 0 ? axis + rank : axis;
}
