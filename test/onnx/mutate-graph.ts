import type { Rng } from '../../lib/core/rng';
import { ELEMENT_TYPES, type ElementType } from '../../lib/ir/element-type';
import type { Attribute, Graph, Node, ValueType } from '../../lib/ir/graph';
import { type Tensor, tensorFrom } from '../../lib/ir/tensor';
import { OPERATORS } from '../../lib/ops';

/** Numbers at the edges of what extents, axes and counts can be. */
const EDGES = [
  ...[0, 1, -1, 2, 3, 4, 7, -2, 64, 127, 255, 256, 65536, 2 ** 20, 2 ** 24, 2 ** 31 - 1, 2 ** 31, -(2 ** 31)],
  ...[2 ** 32, 2 ** 53 - 1, -(2 ** 53) + 1, 1000000007],
];
const FLOATS = [0, 1, -1, 0.5, 1e-30, 1e38, -3.4e38, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
const WORDS = ['SAME_UPPER', 'VALID', 'constant', 'reflect', 'nearest', 'linear', 'cubic', 'bidirectional', '', 'x'];
const NAMES = ['__proto__', 'constructor', 'toString', '\u0000', 'x'.repeat(1000), 'ä', ''];
const DOMAINS = ['com.microsoft', 'ai.onnx', 'ai.onnx.ml', 'x'];
const OPSETS = [7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26];
const TYPES = Object.keys(ELEMENT_TYPES) as ElementType[];
const KINDS: readonly Attribute['kind'][] = ['int', 'float', 'string', 'ints', 'floats', 'strings', 'tensor'];
/** Operators of the table, and some that it lacks. */
const OPS = [...OPERATORS.map(({ op }) => op), 'If', 'Loop', 'TopK', 'NonZero', 'Sparkle', 'QLinearAdd', 'QGemm'];
const ATTRIBUTES = [
  ...new Set(OPERATORS.flatMap(({ schema }) => Object.keys(schema.attributes))),
  ...['axes', 'pads', 'perm', 'shape', 'value', 'consumed_inputs', 'noop'],
];

/** Draws of a mutation. */
class Draw {
  readonly rng: Rng;

  constructor(rng: Rng) {
    this.rng = rng;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.rng.integer(0, list.length - 1)];
  }

  chance(probability: number): boolean {
    return this.rng.uniform() < probability;
  }

  number(): number {
    return this.chance(0.6) ? this.pick(EDGES) : this.rng.integer(-5, 40);
  }

  numbers(most: number): number[] {
    return Array.from({ length: this.rng.integer(0, most) }, () => this.number());
  }

  attribute(kind = this.pick(KINDS)): Attribute {
    switch (kind) {
      case 'int':
        return { kind, value: this.number() };
      case 'float':
        return { kind, value: this.pick(FLOATS) };
      case 'string':
        return { kind, value: this.pick(WORDS) };
      case 'ints':
        return { kind, value: this.numbers(this.chance(0.05) ? 1000 : 6) };
      case 'floats':
        return { kind, value: Array.from({ length: this.rng.integer(0, 4) }, () => this.pick(FLOATS)) };
      case 'strings':
        return { kind, value: [this.pick(WORDS)] };
      default:
        return { kind: 'tensor', value: this.vector() };
    }
  }

  /** A short vector of numbers that could be a shape. */
  vector(): Tensor {
    const values = this.numbers(4);
    return this.chance(0.8)
      ? tensorFrom('int64', [values.length], values)
      : tensorFrom('float32', [values.length], values);
  }
}

type Change = (graph: Graph, draw: Draw) => Graph;

/** The graph with one node changed; itself when it has none. */
const onNode =
  (change: (node: Node, graph: Graph, draw: Draw) => Node): Change =>
  (graph, draw) => {
    if (graph.nodes.length === 0) return graph;
    const chosen = draw.pick(graph.nodes);
    return { ...graph, nodes: graph.nodes.map((node) => (node === chosen ? change(node, graph, draw) : node)) };
  };

const onAttribute = (change: (entry: Attribute, draw: Draw) => Attribute | undefined): Change =>
  onNode((node, _, draw) => {
    if (node.attributes.size === 0) return node;
    const name = draw.pick([...node.attributes.keys()]);
    const changed = change(node.attributes.get(name)!, draw);
    const rest = [...node.attributes].filter(([key]) => key !== name);
    return { ...node, attributes: new Map(changed ? [...rest, [name, changed]] : rest) };
  });

const onTensor =
  (change: (tensor: Tensor, draw: Draw) => Tensor): Change =>
  (graph, draw) => {
    if (graph.initializers.size === 0) return graph;
    const name = draw.pick([...graph.initializers.keys()]);
    const changed = change(graph.initializers.get(name)!, draw);
    return { ...graph, initializers: new Map([...graph.initializers, [name, changed]]) };
  };

const onValue =
  (change: (type: ValueType, draw: Draw) => ValueType): Change =>
  (graph, draw) => {
    if (graph.values.size === 0) return graph;
    const name = draw.pick([...graph.values.keys()]);
    return { ...graph, values: new Map([...graph.values, [name, change(graph.values.get(name)!, draw)]]) };
  };

function replaceAt<T>(list: readonly T[], index: number, value: T): T[] {
  return list.map((item, at) => (at === index ? value : item));
}

function namesOf(graph: Graph): string[] {
  return [...graph.inputs, ...graph.initializers.keys(), ...graph.nodes.flatMap(({ outputs }) => outputs), ''];
}

function withConstant(graph: Graph, tensor: Tensor, draw: Draw): [Graph, string] {
  const name = `k${draw.rng.integer(0, 1e6)}`;
  return [{ ...graph, initializers: new Map([...graph.initializers, [name, tensor]]) }, name];
}

const CHANGES: readonly Change[] = [
  onNode((node, _, draw) => ({ ...node, op: draw.pick(OPS) })),
  onNode((node, _, draw) => ({ ...node, domain: draw.pick(DOMAINS) })),
  onNode((node, _, draw) => ({ ...node, name: draw.pick(NAMES) })),
  onNode((node, graph, draw) => {
    const inputs = replaceAt(node.inputs, draw.rng.integer(0, node.inputs.length - 1), draw.pick(namesOf(graph)));
    return { ...node, inputs };
  }),
  onNode((node, graph, draw) => ({ ...node, inputs: [...node.inputs, draw.pick(namesOf(graph))] })),
  onNode((node, _, draw) => ({ ...node, inputs: node.inputs.slice(0, draw.rng.integer(0, node.inputs.length)) })),
  onNode((node) => ({ ...node, inputs: [...node.inputs].reverse() })),
  onNode((node, _, draw) => ({ ...node, outputs: [...node.outputs, draw.chance(0.5) ? '' : `o${draw.number()}`] })),
  onNode((node, graph, draw) => {
    const outputs = replaceAt(node.outputs, 0, draw.pick(namesOf(graph)));
    return { ...node, outputs };
  }),
  onNode((node, _, draw) => {
    const name = draw.pick(ATTRIBUTES);
    const known = OPERATORS.find(({ op }) => op === node.op)?.schema.attributes ?? {};
    const wanted = draw.chance(0.7) && Object.keys(known).length > 0 ? draw.pick(Object.keys(known)) : name;
    const kind = draw.chance(0.7) && known[wanted] && known[wanted].kind !== 'graph' ? known[wanted].kind : undefined;
    return { ...node, attributes: new Map([...node.attributes, [wanted, draw.attribute(kind)]]) };
  }),
  onAttribute((entry, draw) => draw.attribute(entry.kind)),
  onAttribute((_, draw) => draw.attribute()),
  onAttribute(() => undefined),
  onAttribute((entry, draw) => {
    if (entry.kind !== 'ints') return entry;
    const { value } = entry;
    const at = draw.rng.integer(0, Math.max(0, value.length - 1));
    if (draw.chance(0.6)) return { ...entry, value: replaceAt(value, at, draw.number()) };
    return { ...entry, value: draw.chance(0.5) ? value.slice(0, at) : [...value, draw.number()] };
  }),
  onTensor((tensor, draw) => ({
    ...tensor,
    dims: replaceAt(tensor.dims, draw.rng.integer(0, Math.max(0, tensor.dims.length - 1)), Math.abs(draw.number())),
  })),
  onTensor((tensor) => ({ ...tensor, dims: [...tensor.dims].reverse() })),
  onTensor((tensor, draw) => ({ ...tensor, dims: draw.chance(0.5) ? [...tensor.dims, 1] : [1, ...tensor.dims] })),
  onTensor((tensor, draw) => ({ ...tensor, type: draw.pick(TYPES) })),
  onTensor((tensor, draw) => {
    // Another value, of the same type: special floats, edges of integers.
    const bytes = Uint8Array.from(tensor.bytes);
    const size = Math.max(1, ELEMENT_TYPES[tensor.type].bits / 8);
    if (bytes.length < size || tensor.type === 'string') return tensor;
    const at = draw.rng.integer(0, Math.floor(bytes.length / size) - 1) * size;
    const special = new Uint8Array(
      tensor.type === 'float32'
        ? Float32Array.of(draw.pick(FLOATS)).buffer
        : BigInt64Array.of(BigInt(draw.number())).buffer,
    );
    bytes.set(special.subarray(0, size), at);
    return { ...tensor, bytes };
  }),
  onTensor((_, draw) => draw.vector()),
  onValue((type, draw) => ({ ...type, type: draw.pick(TYPES) })),
  onValue((type, draw) => ({ ...type, shape: draw.chance(0.5) ? undefined : draw.numbers(5).map(Math.abs) })),
  onValue((type, draw) => {
    if (!type.shape?.length) return type;
    const at = draw.rng.integer(0, type.shape.length - 1);
    const dim = draw.chance(0.7) ? Math.abs(draw.number()) : draw.pick(['N', 'x', '__proto__', 'a*b', 'floor(', '-1']);
    return { ...type, shape: replaceAt(type.shape, at, dim) };
  }),
  (graph, draw) => ({ ...graph, nodes: graph.nodes.filter(() => !draw.chance(1 / graph.nodes.length)) }),
  (graph, draw) => {
    if (graph.nodes.length === 0) return graph;
    const node = draw.pick(graph.nodes);
    const twin = { ...node, name: `${node.name}_twin`, outputs: node.outputs.map((name) => `${name}_twin`) };
    const outputs = draw.chance(0.5) ? [...graph.outputs, twin.outputs[0]] : graph.outputs;
    return { ...graph, nodes: [...graph.nodes, twin], outputs };
  },
  (graph, draw) => ({ ...graph, outputs: [...graph.outputs.slice(draw.rng.integer(0, 1)), draw.pick(namesOf(graph))] }),
  (graph, draw) => ({ ...graph, opsets: new Map([...graph.opsets, ['', draw.pick(OPSETS)]]) }),
  (graph, draw) => ({ ...graph, irVersion: draw.rng.integer(2, 14) }),
  // A constant in place of an input: shapes, pads, axes, indices.
  (graph, draw) => {
    const [more, name] = withConstant(graph, draw.vector(), draw);
    return onNode((node) => {
      const at = draw.chance(0.7) ? draw.rng.integer(1, Math.max(1, node.inputs.length)) : 0;
      const inputs = at < node.inputs.length ? replaceAt(node.inputs, at, name) : [...node.inputs, name];
      return { ...node, inputs };
    })(more, draw);
  },
  // A graph input becomes a constant.
  (graph, draw) => {
    if (graph.inputs.length === 0) return graph;
    const name = draw.pick(graph.inputs);
    const type = graph.values.get(name);
    const dims = type?.shape?.map((dim) => (typeof dim === 'number' ? dim : 1)) ?? [];
    const count = dims.reduce((product, dim) => product * dim, 1);
    if (!type || count > 1e5 || !['float32', 'int64', 'int32', 'uint8', 'int8', 'bool'].includes(type.type))
      return graph;
    const values = Array.from({ length: count }, () =>
      type.type === 'float32' ? draw.rng.normal() : draw.rng.integer(0, 2),
    );
    const tensor = tensorFrom(type.type as 'float32', dims, values);
    return {
      ...graph,
      inputs: graph.inputs.filter((input) => input !== name),
      initializers: new Map([...graph.initializers, [name, tensor]]),
    };
  },
  // Another operator on an edge.
  (graph, draw) => {
    if (graph.nodes.length === 0) return graph;
    const node = draw.pick(graph.nodes);
    const [output = ''] = node.outputs;
    if (output === '') return graph;
    const before = `${output}_before`;
    const operator = draw.pick(OPERATORS);
    const more = operator.schema.inputs.slice(1).map(() => draw.pick(namesOf(graph)));
    const inserted: Node = {
      name: `${output}_inserted`,
      op: operator.op,
      domain: '',
      inputs: [before, ...(draw.chance(0.5) ? more : [])],
      outputs: [output],
      attributes: new Map(
        Object.entries(operator.schema.attributes)
          .filter(([, { required, kind }]) => kind !== 'graph' && (required || draw.chance(0.2)))
          .map(([name, { kind }]) => [name, draw.attribute(kind)]),
      ),
    };
    const renamed = { ...node, outputs: [before, ...node.outputs.slice(1)] };
    return { ...graph, nodes: graph.nodes.flatMap((other) => (other === node ? [renamed, inserted] : [other])) };
  },
  // A quantization pair on an edge.
  (graph, draw) => {
    if (graph.nodes.length === 0) return graph;
    const node = draw.pick(graph.nodes);
    const [output = ''] = node.outputs;
    if (output === '') return graph;
    const dims = draw.pick([[], [1], [3]]);
    const count = dims.length === 0 ? 1 : dims[0];
    const scale = draw.pick([0.05, 1, 1e-30, 0, 3]);
    const [first, s] = withConstant(graph, tensorFrom('float32', dims, new Array<number>(count).fill(scale)), draw);
    const type = draw.pick(['uint8', 'int8', 'int16'] as const);
    const [second, z] = withConstant(first, tensorFrom(type, dims, new Array<number>(count).fill(3)), draw);
    const [before, bytes] = [`${output}_float`, `${output}_bytes`];
    const make = (op: string, input: string, made: string): Node => ({
      name: made,
      op,
      domain: '',
      inputs: [input, s, ...(draw.chance(0.9) ? [z] : [])],
      outputs: [made],
      attributes: new Map(),
    });
    const pair = [make('QuantizeLinear', before, bytes), make('DequantizeLinear', bytes, output)];
    const renamed = { ...node, outputs: [before, ...node.outputs.slice(1)] };
    return { ...second, nodes: second.nodes.flatMap((other) => (other === node ? [renamed, ...pair] : [other])) };
  },
];

/** The graph after one to four random changes; it need not make sense any more. */
export function mutateGraph(graph: Graph, rng: Rng): Graph {
  const draw = new Draw(rng);
  let result = graph;
  for (let count = draw.chance(0.5) ? 1 : rng.integer(2, 4); count > 0; count--)
    result = draw.pick(CHANGES)(result, draw);
  return result;
}
