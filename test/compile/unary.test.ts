import type { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { OPERATORS } from '../../lib/ops';
import { float } from '../ops/op-case';
import { callOf } from './call-of';
import { arrayOf, compiled, runEngine, runReference } from './run-case';
import { feedsOf, sketch } from './small-graphs';

/** Operators whose function the engine computes in float. */
const FUNCTIONS = OPERATORS.filter((operator) => {
  const call = callOf(operator);
  return call?.kernel === 'unary' && call.float !== undefined;
}).map(({ op }) => op);

const POOL = { kernel_shape: [2, 2] };

/** Elements that differ from onnxruntime by more than rounding; equal infinities and two NaNs are equal. */
async function differences(graph: Graph, threads: number): Promise<string[]> {
  const feeds = feedsOf(graph);
  const expected = await runReference(graph, feeds);
  const found = runEngine(compiled(graph).plan, feeds, threads);
  return [...expected].flatMap(([name, tensor]) =>
    Array.from(arrayOf(tensor)).flatMap((value, i) => {
      const engine = found[name][i];
      const close = Object.is(value, engine) || Math.abs(value - engine) <= 2e-6 * (1 + Math.abs(value));
      return close ? [] : [`${name}[${i}]: ${engine}, onnxruntime ${value}`];
    }),
  );
}

/** Networks around one function. */
const PLACES: Readonly<Record<string, (b: GraphBuilder, op: string) => string>> = {
  'of a vector': (b, op) => b.node(op, [b.input('x', 'float32', [37])]),
  'of an input and behind itself': (b, op) => b.node(op, [b.node(op, [b.input('x', 'float32', [2, 5, 3])])]),
  'behind a channels-last image, last': (b, op) =>
    b.node(op, [b.node('MaxPool', [b.input('x', 'float32', [2, 5, 4, 5])], POOL)]),
  'between layers, with the clamp behind it': (b, op) => {
    const image = b.node('MaxPool', [b.input('x', 'float32', [1, 3, 5, 4])], POOL);
    return b.node('AveragePool', [b.node('Relu', [b.node(op, [image])])], POOL);
  },
  'of what another layer reads too': (b, op) => {
    const image = b.node('MaxPool', [b.input('x', 'float32', [1, 3, 5, 4])], POOL);
    return b.node('Mul', [b.node(op, [image]), image]);
  },
};

/** A function of itself that has poles between its elements: there every rounding shows. */
const hasPoles = (op: string, place: string): boolean => op === 'Tan' && place === 'of an input and behind itself';

describe.each(FUNCTIONS)('%s in float', (op) => {
  test.each(Object.keys(PLACES).filter((place) => !hasPoles(op, place)))('%s', async (place) => {
    expect(
      await differences(
        sketch((b) => [PLACES[place](b, op)]),
        2,
      ),
    ).toEqual([]);
  });
});

test.each<[op: string, attributes: Parameters<GraphBuilder['node']>[2]]>([
  ['Elu', { alpha: float(0.3) }],
  ['LeakyRelu', { alpha: float(-0.2) }],
  ['HardSigmoid', { alpha: float(0.5), beta: float(0.1) }],
  ['Selu', { alpha: float(2), gamma: float(3) }],
  ['Gelu', { approximate: 'tanh' }],
])('%s with %j', async (op, attributes) => {
  const graph = sketch((b) => [b.node(op, [b.input('x', 'float32', [3, 7])], attributes)]);
  expect(await differences(graph, 1)).toEqual([]);
});

test('a function lies on its input, and takes the clamp behind it', () => {
  const graph = sketch((b) => {
    const image = b.node('MaxPool', [b.input('x', 'float32', [1, 3, 5, 4])], POOL);
    return [b.node('MaxPool', [b.node('Relu', [b.node('Tanh', [image])])], POOL)];
  });
  const { nodes, tensors } = compiled(graph).description.variants[0];
  const { inputs, outputs, params } = nodes.find(({ op }) => op === 'unary_f32')! as Extract<
    (typeof nodes)[number],
    { op: 'unary_f32' }
  >;
  expect(params).toMatchObject({ operation: 'tanh', clamp: { lo: 0 } });
  expect(tensors[outputs[0]].place).toBe('arena');
  expect(tensors[outputs[0]]).toMatchObject({ offset: (tensors[inputs[0]!] as { offset: number }).offset });
  expect(nodes.filter(({ op }) => op === 'clamp_f32')).toEqual([]);
});
