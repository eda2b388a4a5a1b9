import { compile } from '../../lib/compile/compile';
import { lowerGraph } from '../../lib/compile/lower-graph';
import { Rng } from '../../lib/core/rng';
import type { attributes } from '../../lib/ir/attribute';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { type Tensor, tensorFrom } from '../../lib/ir/tensor';
import { toDense } from '../../lib/ops/dense';
import { prepare } from '../../lib/passes/pipeline';
import { evaluateGraph } from '../ops/evaluate-graph';
import { float, uniform } from '../ops/op-case';
import { HASH, runEngine } from './run-case';

const GATES = { RNN: 1, GRU: 3, LSTM: 4 } as const;
type Op = keyof typeof GATES;

interface Layer {
  readonly op: Op;
  readonly attributes: Parameters<typeof attributes>[0];
  readonly directions: number;
  readonly steps: number;
  readonly batch: number;
  readonly size: number;
  readonly hidden: number;
  /** Optional inputs that are there: B, initial_h, initial_c, P. */
  readonly has: ReadonlySet<string>;
  /** Outputs that are read, by place. */
  readonly read: readonly number[];
}

/** The layer behind a Relu, so that its input is no port; X and states are fed. */
function graphOf({ op, attributes, directions, steps, batch, size, hidden, has, read }: Layer) {
  const b = new GraphBuilder();
  const feeds = new Map<string, Tensor>();
  const feed = (name: string, dims: readonly number[], seed: number): string => {
    feeds.set(name, uniform(dims, seed));
    return b.node('Abs', [b.input(name, 'float32', dims)]);
  };
  const constant = (dims: readonly number[], seed: number) => b.initializer(uniform(dims, seed));
  const batchFirst = attributes?.layout === 1;
  const states = batchFirst ? [batch, directions, hidden] : [directions, batch, hidden];
  const rows = GATES[op] * hidden;
  const inputs = [
    feed('x', batchFirst ? [batch, steps, size] : [steps, batch, size], 1),
    constant([directions, rows, size], 2),
    constant([directions, rows, hidden], 3),
    has.has('B') ? constant([directions, 2 * rows], 4) : '',
    has.has('lengths') ? b.initializer(tensorFrom('int32', [batch], new Array(batch).fill(steps))) : '',
    has.has('initial_h') ? feed('h', states, 5) : '',
    ...(op !== 'LSTM' ? [] : [has.has('initial_c') ? feed('c', states, 6) : '']),
    ...(op !== 'LSTM' || !has.has('P') ? [] : [constant([directions, 3 * hidden], 7)]),
  ];
  const outputs = ['y', 'y_h', ...(op === 'LSTM' ? ['y_c'] : [])].map((name, i) => (read.includes(i) ? name : ''));
  b.nodes(op, inputs, outputs.length, { hidden_size: hidden, ...attributes }, { outputs });
  for (const name of outputs) if (name) b.output(name);
  return { graph: b.build(), feeds };
}

function randomLayer(rng: Rng): Layer {
  const pick = <T>(list: readonly T[]): T => list[rng.integer(0, list.length - 1)];
  const op = pick<Op>(['RNN', 'GRU', 'LSTM']);
  const direction = pick(['forward', 'reverse', 'bidirectional']);
  const outputs = op === 'LSTM' ? [0, 1, 2] : [0, 1];
  return {
    op,
    directions: direction === 'bidirectional' ? 2 : 1,
    attributes: {
      direction,
      layout: rng.integer(0, 1),
      ...(op === 'GRU' ? { linear_before_reset: rng.integer(0, 1) } : {}),
      ...(op === 'LSTM' ? { input_forget: rng.integer(0, 1) } : {}),
      ...(rng.uniform() < 0.3 ? { clip: float(0.4) } : {}),
    },
    steps: rng.integer(1, 5),
    batch: rng.integer(1, 8),
    size: rng.integer(1, 6),
    hidden: rng.integer(1, 40),
    has: new Set(['B', 'lengths', 'initial_h', 'initial_c', 'P'].filter(() => rng.uniform() < 0.5)),
    read: rng.uniform() < 0.5 ? outputs : [pick(outputs)],
  };
}

const say = ({ has, ...layer }: Layer): string => JSON.stringify({ ...layer, has: [...has] });

function differenceOf(graph: Graph, feeds: ReadonlyMap<string, Tensor>): number {
  const dense = new Map([...feeds].map(([name, tensor]) => [name, toDense(tensor, 'float32')]));
  const expected = evaluateGraph(graph, dense, 'float64');
  const found = runEngine(compile(prepare(graph).graph, { sourceHash: HASH }).plan, feeds);
  return Math.max(
    ...graph.outputs.flatMap((name) => {
      expect(found[name].length).toBe(expected.get(name)!.data.length);
      return Array.from(expected.get(name)!.data, (value, i) => Math.abs(found[name][i] - value));
    }),
  );
}

test('200 random layers: every attribute, either layout, whatever inputs and outputs are there', () => {
  const rng = new Rng(11);
  const wrong = Array.from({ length: 200 }, () => randomLayer(rng)).filter((layer) => {
    const { graph, feeds } = graphOf(layer);
    return !(differenceOf(graph, feeds) < 1e-5);
  });
  expect(wrong.map(say)).toEqual([]);
});

const LAYER: Layer = {
  ...{ op: 'LSTM', attributes: {}, directions: 1, steps: 4, batch: 2, size: 3, hidden: 5 },
  ...{ has: new Set(['B']), read: [0] },
};

test('one product of all inputs, then the recurrence', () => {
  const { graph } = graphOf(LAYER);
  const { steps } = lowerGraph(prepare(graph).graph).state.program;
  expect(steps.map(({ op }) => op)).toEqual(['copy_nd', 'unary_f32', 'fc_f32', 'recurrent_f32', 'copy_nd']);
});

test('quantized weights, per channel and per tensor: the product of the dequantized ones', () => {
  const b = new GraphBuilder();
  const hidden = 6;
  const dequantized = (dims: readonly number[], perChannel: boolean, seed: number): string => {
    const rng = new Rng(seed);
    const count = perChannel ? dims[1] : 1;
    const draw = (low: number, high: number, length: number) => Array.from({ length }, () => rng.integer(low, high));
    const operands = [
      b.initializer(tensorFrom('int8', dims, draw(-127, 127, dims[0] * dims[1] * dims[2]))),
      b.initializer(
        tensorFrom(
          'float32',
          perChannel ? [count] : [],
          draw(1, 9, count).map((scale) => scale / 1000),
        ),
      ),
    ];
    return b.node('DequantizeLinear', operands, { axis: 1 });
  };
  const x = b.input('x', 'float32', [5, 2, 4]);
  const grid = [b.initializer(tensorFrom('float32', [], [1 / 64])), b.initializer(tensorFrom('uint8', [], [120]))];
  const pair = b.node('DequantizeLinear', [b.node('QuantizeLinear', [x, ...grid]), ...grid]);
  const operands = [pair, dequantized([1, 4 * hidden, 4], true, 1), dequantized([1, 4 * hidden, hidden], false, 2)];
  b.output(b.node('LSTM', operands, { hidden_size: hidden }));
  const graph = b.build();
  const steps = lowerGraph(prepare(graph).graph).state.program.steps.map(({ op }) => op);
  expect(steps).toEqual(['quantize_s8', 'dequantize_s8', 'fc_f32', 'recurrent_f32', 'copy_nd']);
  expect(differenceOf(graph, new Map([['x', uniform([5, 2, 4])]]))).toBeLessThan(1e-6);
});

/** What the engine lacks for a layer that an operand or attribute is changed of. */
const lacks = (layer: Partial<Layer>, change: (graph: Graph) => Graph = (graph) => graph): string[] => {
  const { graph } = graphOf({ ...LAYER, ...layer });
  return lowerGraph(prepare(change(graph)).graph).state.diagnostics.map(({ message }) => message);
};

test.each<readonly [what: string, message: string, input: number]>([
  ['weights', 'LSTM: expected W to be constant', 1],
  ['recurrent weights', 'LSTM: expected R to be constant', 2],
  ['a bias', 'LSTM: expected B to be constant', 3],
])('%s that are computed', (_, message, input) => {
  const found = lacks({}, (graph) => {
    const nodes = graph.nodes.map((node) => {
      if (node.op !== 'LSTM') return node;
      return { ...node, inputs: node.inputs.map((name, index) => (index === input ? 'computed' : name)) };
    });
    const given = graph.nodes.find(({ op }) => op === 'LSTM')!.inputs[input];
    const dims = graph.initializers.get(given)!.dims;
    return {
      ...graph,
      nodes,
      inputs: [...graph.inputs, 'computed'],
      values: new Map([...graph.values, ['computed', { type: 'float32', shape: dims }]]),
    };
  });
  expect(found).toEqual([message]);
});

test('sequences of other lengths, and activations without a kernel', () => {
  const shorter = lacks({ has: new Set(['lengths']) }, (graph) => ({
    ...graph,
    initializers: new Map(
      [...graph.initializers].map(([name, tensor]) => [
        name,
        tensor.type === 'int32' ? tensorFrom('int32', [2], [4, 3]) : tensor,
      ]),
    ),
  }));
  expect(shorter).toEqual(['LSTM: expected no lengths, or constants of 4: that of all sequences']);
  const activations = { kind: 'strings', value: ['Sigmoid', 'ScaledTanh', 'Tanh'] } as const;
  expect(lacks({ attributes: { activations } })).toEqual(['LSTM: activation ScaledTanh has no kernel']);
});
