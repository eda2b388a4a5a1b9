import type { Rng } from '../../lib/core/rng';
import type { Attribute, Graph, Node } from '../../lib/ir/graph';
import { elementCount, type Tensor, tensorFrom, toNumbers, VIEWS, type ViewType } from '../../lib/ir/tensor';
import { OPERATORS } from '../../lib/ops';

/**
 * Changes that most models survive, so that what follows preparation gets to see them: other numbers, extents, ranks and
 * operators where a model has some already.
 */
type Adjustment = (graph: Graph, rng: Rng) => Graph;

/** Factors of floats, with what spoils a network. */
const FACTORS = [0, 1, -1, 0.5, 2, 10, 1e-3, 1e4, 1e-20, 1e20, 1e38, Number.NaN, Number.POSITIVE_INFINITY];
/** Operators that stand for each other. */
const ALIKE: readonly (readonly string[])[] = [
  ['Relu', 'LeakyRelu', 'Sigmoid', 'Tanh', 'HardSwish', 'Elu', 'Abs', 'Neg', 'Identity', 'Softmax', 'Sqrt', 'Exp'],
  ['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min', 'MatMul', 'Concat'],
  ['MaxPool', 'AveragePool'],
  ['GlobalAveragePool', 'GlobalMaxPool', 'Flatten', 'Relu'],
];
/** Operators that one input is enough for. */
const LONELY = OPERATORS.filter(
  ({ domain, schema: { inputs, attributes } }) =>
    domain === '' &&
    inputs.filter(({ presence }) => presence === undefined || presence === 'required').length === 1 &&
    Object.values(attributes).every(({ required }) => !required),
).map(({ op }) => op);

function pick<T>(rng: Rng, list: readonly T[]): T {
  return list[rng.integer(0, list.length - 1)];
}

const onNode =
  (change: (node: Node, rng: Rng, graph: Graph) => Node): Adjustment =>
  (graph, rng) => {
    if (graph.nodes.length === 0) return graph;
    const chosen = pick(rng, graph.nodes);
    return { ...graph, nodes: graph.nodes.map((node) => (node === chosen ? change(node, rng, graph) : node)) };
  };

const onConstant =
  (change: (tensor: Tensor, rng: Rng) => Tensor): Adjustment =>
  (graph, rng) => {
    const names = [...graph.initializers].filter(([, { type }]) => type in VIEWS).map(([name]) => name);
    if (names.length === 0) return graph;
    const name = pick(rng, names);
    const changed = change(graph.initializers.get(name)!, rng);
    return { ...graph, initializers: new Map([...graph.initializers, [name, changed]]) };
  };

/** The same type and, repeated or cut, the same elements in another shape. */
function reshaped(tensor: Tensor, dims: readonly number[]): Tensor {
  const from = toNumbers(tensor);
  const values = Array.from({ length: elementCount(dims) }, (_, i) => from[i % Math.max(1, from.length)] ?? 1);
  return tensorFrom(tensor.type as ViewType, dims, values);
}

/** What a value of `tensor` may become. */
function spoiled(value: number, { type }: Tensor, rng: Rng): number {
  if (type === 'float32' || type === 'float64') return value * pick(rng, FACTORS);
  return value + pick(rng, [-2, -1, 1, 2, 7, 100, -100]);
}

/** A number near another one. */
const near = (value: number, rng: Rng): number => value + pick(rng, [-3, -2, -1, -1, 1, 1, 2, 3]);

function nearby(entry: Attribute, rng: Rng): Attribute {
  switch (entry.kind) {
    case 'int':
      return { ...entry, value: near(entry.value, rng) };
    case 'float':
      return { ...entry, value: (entry.value || 1) * pick(rng, FACTORS) };
    case 'ints': {
      const at = rng.integer(0, Math.max(0, entry.value.length - 1));
      return { ...entry, value: entry.value.map((value, index) => (index === at ? near(value, rng) : value)) };
    }
    default:
      return entry;
  }
}

const ADJUSTMENTS: readonly Adjustment[] = [
  onNode((node, rng) => {
    if (node.attributes.size === 0) return node;
    const [name, entry] = pick(rng, [...node.attributes]);
    return { ...node, attributes: new Map([...node.attributes, [name, nearby(entry, rng)]]) };
  }),
  onNode((node, rng) => {
    if (node.attributes.size === 0) return node;
    const name = pick(rng, [...node.attributes.keys()]);
    return { ...node, attributes: new Map([...node.attributes].filter(([key]) => key !== name)) };
  }),
  // An attribute that the operator has and the node leaves out.
  onNode((node, rng) => {
    const known = Object.entries(OPERATORS.find(({ op }) => op === node.op)?.schema.attributes ?? {}).filter(
      ([name, { kind }]) => !node.attributes.has(name) && (kind === 'int' || kind === 'float'),
    );
    if (known.length === 0) return node;
    const [name, { kind }] = pick(rng, known);
    const entry: Attribute =
      kind === 'int' ? { kind, value: pick(rng, [0, 1, -1, 2]) } : { kind: 'float', value: pick(rng, FACTORS) };
    return { ...node, attributes: new Map([...node.attributes, [name, entry]]) };
  }),
  onNode((node, rng) => {
    const alike = ALIKE.filter((ops) => ops.includes(node.op));
    return alike.length === 0 ? node : { ...node, op: pick(rng, pick(rng, alike)) };
  }),
  // Another value of the same kind is read.
  onNode((node, rng, graph) => {
    if (node.inputs.length === 0) return node;
    const constant = (name: string) => graph.initializers.has(name);
    const at = rng.integer(0, node.inputs.length - 1);
    const made = [...graph.inputs, ...graph.nodes.flatMap(({ outputs }) => outputs)];
    const names = constant(node.inputs[at]) ? [...graph.initializers.keys()] : made;
    return names.length === 0 ? node : { ...node, inputs: node.inputs.with(at, pick(rng, names)) };
  }),
  // An optional input goes.
  onNode((node, rng) =>
    node.inputs.length < 2 ? node : { ...node, inputs: node.inputs.with(rng.integer(1, node.inputs.length - 1), '') },
  ),
  onConstant((tensor, rng) => {
    const at = rng.integer(0, Math.max(0, elementCount(tensor.dims) - 1));
    return tensorFrom(
      tensor.type as ViewType,
      tensor.dims,
      toNumbers(tensor).map((value, index) => (index === at ? spoiled(value, tensor, rng) : value)),
    );
  }),
  onConstant((tensor, rng) => {
    const factor = pick(rng, FACTORS);
    if (tensor.type !== 'float32') return tensor;
    return tensorFrom(
      'float32',
      tensor.dims,
      toNumbers(tensor).map((x) => x * factor),
    );
  }),
  onConstant((tensor, rng) => {
    const { dims } = tensor;
    if (dims.length === 0) return reshaped(tensor, pick(rng, [[1], [0], [1, 1], [2]]));
    const at = rng.integer(0, dims.length - 1);
    const extent = pick(rng, [0, 1, dims[at] - 1, dims[at] + 1, 2 * dims[at]]);
    const choices = [
      dims.with(at, Math.max(0, extent)),
      dims.toSpliced(at, 1),
      dims.toSpliced(at, 0, 1),
      [],
      [...dims].reverse(),
    ];
    return reshaped(tensor, pick(rng, choices));
  }),
  onConstant((tensor, rng) =>
    tensorFrom(
      pick(rng, ['float32', 'int64', 'int32', 'uint8', 'int8'] as const),
      tensor.dims,
      toNumbers(tensor).map((x) => (Number.isFinite(x) ? Math.round(x) : 0)),
    ),
  ),
  // A constant is computed, as an input.
  (graph, rng) => {
    const names = [...graph.initializers].filter(([, { type }]) => type === 'float32').map(([name]) => name);
    if (names.length === 0) return graph;
    const name = pick(rng, names);
    const { type, dims } = graph.initializers.get(name)!;
    return {
      ...graph,
      inputs: [...graph.inputs, name],
      initializers: new Map([...graph.initializers].filter(([key]) => key !== name)),
      values: new Map([...graph.values, [name, { type, shape: dims }]]),
    };
  },
  // An input of other extents.
  (graph, rng) => {
    if (graph.inputs.length === 0) return graph;
    const name = pick(rng, graph.inputs);
    const type = graph.values.get(name);
    if (!type?.shape?.length) return graph;
    const at = rng.integer(0, type.shape.length - 1);
    const extent = type.shape[at];
    const shape = type.shape.with(at, typeof extent === 'number' ? Math.max(0, near(extent, rng)) : 2);
    return { ...graph, values: new Map([...graph.values, [name, { ...type, shape }]]) };
  },
  // Another output, also an inner value that others read.
  (graph, rng) => {
    const made = graph.nodes
      .flatMap(({ outputs }) => outputs)
      .filter((name) => name !== '' && !graph.outputs.includes(name));
    if (made.length === 0) return graph;
    return { ...graph, outputs: rng.uniform() < 0.5 ? [pick(rng, made)] : [...graph.outputs, pick(rng, made)] };
  },
  // One more operator on an edge.
  (graph, rng) => {
    if (graph.nodes.length === 0) return graph;
    const node = pick(rng, graph.nodes);
    const [output = ''] = node.outputs;
    if (output === '') return graph;
    const before = `${output}_before`;
    const more: Node = {
      name: `${output}_more`,
      op: pick(rng, LONELY),
      domain: '',
      inputs: [before],
      outputs: [output],
      attributes: new Map(),
    };
    const renamed = { ...node, outputs: [before, ...node.outputs.slice(1)] };
    return { ...graph, nodes: graph.nodes.flatMap((other) => (other === node ? [renamed, more] : [other])) };
  },
];

/** The graph after one small change, or two; what is declared of inner values is forgotten, since it may be wrong now. */
export function adjustGraph(graph: Graph, rng: Rng): Graph {
  let result = graph;
  for (let count = rng.uniform() < 0.7 ? 1 : 2; count > 0; count--) result = pick(rng, ADJUSTMENTS)(result, rng);
  const values = new Map([...result.values].filter(([name]) => result.inputs.includes(name)));
  return { ...result, values };
}
