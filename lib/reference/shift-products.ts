import { HoneError } from '../core/error';
import { nameMaker } from '../ir/edit';
import type { Attribute, Graph, Node } from '../ir/graph';
import { type Tensor, tensorFrom } from '../ir/tensor';

/** Where an operator that multiplies integers has its operands. */
interface Product {
  /** Index of each operand, and of the zero point that goes with it. */
  readonly operands: readonly (readonly [operand: number, zeroPoint: number])[];
  /** Index of the zero point of the result, where the result is quantized again. */
  readonly result?: number;
}

/**
 * Operators of onnxruntime whose int8 operands reach its uint8 x int8 kernels, standard ones and its own. ConvInteger is not
 * among them: its kernel takes the filter from the other side, which has no saturating form.
 */
const PRODUCTS: Readonly<Record<string, Product>> = {
  QLinearConv: {
    operands: [
      [0, 2],
      [3, 5],
    ],
    result: 7,
  },
  QLinearMatMul: {
    operands: [
      [0, 2],
      [3, 5],
    ],
    result: 7,
  },
  MatMulInteger: {
    operands: [
      [0, 2],
      [1, 3],
    ],
  },
  QGemm: {
    operands: [
      [0, 2],
      [3, 5],
    ],
    result: 8,
  },
  MatMulIntegerToFloat: {
    operands: [
      [0, 4],
      [1, 5],
    ],
  },
  DynamicQuantizeMatMul: { operands: [[1, 3]] },
  DynamicQuantizeLSTM: {
    operands: [
      [1, 9],
      [2, 11],
    ],
  },
  QAttention: {
    operands: [
      [0, 6],
      [1, 7],
    ],
  },
};

const DOMAINS = ['', 'com.microsoft'];

/** What is known of names from the graphs around a subgraph. */
interface Scope {
  readonly graph: Graph;
  readonly outer: Scope | undefined;
}

/**
 * The graph with int8 operands of integer products as uint8, zero points along with them: the same sums, exact on every
 * machine. onnxruntime multiplies uint8 by int8 with pairs of products in 16 bits where x86 has no 8-bit dot products, and
 * those saturate; its uint8 x uint8 kernels widen first. The graph itself when it has no such product.
 * @throws E_REFERENCE_LOAD for an operand whose type is not to be found
 */
export function shiftProducts(graph: Graph): Graph {
  return shiftIn({ graph, outer: undefined }, nameMaker(graph));
}

function shiftIn(scope: Scope, fresh: (hint: string) => string): Graph {
  const { graph } = scope;
  const initializers = new Map(graph.initializers);
  const nodes = graph.nodes.flatMap((node) => {
    const inner = withShiftedSubgraphs(node, scope, fresh);
    const product = DOMAINS.includes(node.domain) ? PRODUCTS[node.op] : undefined;
    return product ? shiftNode(inner, product, { scope, fresh, initializers }) : [inner];
  });
  return nodes.length === graph.nodes.length && nodes.every((node, index) => node === graph.nodes[index])
    ? graph
    : { ...graph, nodes, initializers };
}

function withShiftedSubgraphs(node: Node, scope: Scope, fresh: (hint: string) => string): Node {
  const changed = [...node.attributes].flatMap(([name, attribute]): [string, Attribute][] => {
    if (attribute.kind !== 'graph') return [];
    const value = shiftIn({ graph: attribute.value, outer: scope }, fresh);
    return value === attribute.value ? [] : [[name, { kind: 'graph', value }]];
  });
  return changed.length === 0 ? node : { ...node, attributes: new Map([...node.attributes, ...changed]) };
}

interface Place {
  readonly scope: Scope;
  readonly fresh: (hint: string) => string;
  /** Those of the graph under change. */
  readonly initializers: Map<string, Tensor>;
}

/** The node with its int8 operands shifted, and the nodes that shift what is not constant. */
function shiftNode(node: Node, { operands, result }: Product, place: Place): Node[] {
  const { scope, fresh, initializers } = place;
  const inputs = [...node.inputs];
  const before: Node[] = [];
  const shifted = (name: string): string => {
    const constant = constantOf(scope, name);
    if (!constant) return shift(name, 128, 'uint8', before, place);
    const copy = fresh(`${name}_uint8`);
    initializers.set(copy, shiftBytes(constant));
    return copy;
  };
  for (const [operand, zeroPoint] of operands) {
    if (typeIn(scope, node, operand, zeroPoint) !== 'int8') continue;
    inputs[operand] = shifted(inputs[operand]);
    if (inputs[zeroPoint]) inputs[zeroPoint] = shifted(inputs[zeroPoint]);
    else {
      while (inputs.length <= zeroPoint) inputs.push('');
      inputs[zeroPoint] = constant(fresh, initializers, 'uint8', 128);
    }
  }
  if (result === undefined || !inputs[result] || typeIn(scope, node, result, result) !== 'int8')
    return inputs.every((name, index) => name === node.inputs[index]) ? [node] : [...before, { ...node, inputs }];
  inputs[result] = shifted(inputs[result]);
  const after: Node[] = [];
  const raw = fresh(`${node.outputs[0]}_uint8`);
  shift(raw, -128, 'int8', after, place, node.outputs[0]);
  return [...before, { ...node, inputs, outputs: [raw, ...node.outputs.slice(1)] }, ...after];
}

/** Nodes that add `step` to a value and give it another type; the name of the result. */
function shift(
  value: string,
  step: number,
  type: 'int8' | 'uint8',
  nodes: Node[],
  { fresh, initializers }: Place,
  output = fresh(`${value}_${type}`),
): string {
  const add = (op: string, inputs: readonly string[], to: number | undefined, result: string): string => {
    const attributes = new Map<string, Attribute>(to === undefined ? [] : [['to', { kind: 'int', value: to }]]);
    nodes.push({ name: fresh(`${result}_shift`), op, domain: '', inputs, outputs: [result], attributes });
    return result;
  };
  const wide = add('Cast', [value], CAST.int32, fresh(`${value}_wide`));
  const moved = add('Add', [wide, constant(fresh, initializers, 'int32', step)], undefined, fresh(`${value}_moved`));
  return add('Cast', [moved], CAST[type], output);
}

/** Element types as the `to` of Cast counts them. */
const CAST = { uint8: 2, int8: 3, int32: 6 } as const;

function constant(
  fresh: (hint: string) => string,
  initializers: Map<string, Tensor>,
  type: 'int32' | 'uint8',
  value: number,
): string {
  const name = fresh(`${type}_${value}`);
  initializers.set(name, tensorFrom(type, [], [value]));
  return name;
}

/** An int8 tensor plus 128. */
function shiftBytes({ dims, bytes }: Tensor): Tensor {
  return { type: 'uint8', dims, bytes: bytes.map((byte) => byte ^ 0x80) };
}

function constantOf(scope: Scope | undefined, name: string): Tensor | undefined {
  if (!scope) return undefined;
  const { graph, outer } = scope;
  const own = graph.initializers.get(name);
  if (own || graph.inputs.includes(name) || graph.nodes.some(({ outputs }) => outputs.includes(name))) return own;
  return constantOf(outer, name);
}

/** Element type of an operand: its own, or that of its zero point. */
function typeIn(scope: Scope, node: Node, operand: number, zeroPoint: number): string {
  for (const name of [node.inputs[operand], node.inputs[zeroPoint]])
    for (let at: Scope | undefined = scope; at && name; at = at.outer) {
      const { graph } = at;
      const type = graph.initializers.get(name)?.type ?? graph.values.get(name)?.type ?? typeByMaker(graph, name);
      if (type) return type;
    }
  throw new HoneError('E_REFERENCE_LOAD', {
    reason: `${node.name || node.op}: the type of '${node.inputs[operand]}' is not known, so that its products might saturate`,
  });
}

/** Element type of what only one type can come from, in models that declare none. */
function typeByMaker(graph: Graph, name: string): string | undefined {
  const maker = graph.nodes.find(({ outputs }) => outputs.includes(name));
  return maker?.op === 'DynamicQuantizeLinear' && maker.outputs[1] !== name ? 'uint8' : undefined;
}
