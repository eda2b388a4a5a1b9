import type { GraphBuilder } from '../../lib/ir/builder';
import { tensorFrom, toNumbers } from '../../lib/ir/tensor';
import { inferShapes } from '../../lib/passes/infer-shapes';
import { compiled, runEngine, runReference } from './run-case';
import { type Sketch, sketch } from './small-graphs';

type Draw = (b: GraphBuilder, s: Sketch, x: string) => string;
const number = (s: Sketch, value: number) => s.pair(s.scalar(value), 2 ** -4, 0);

/** Functions of one int8 tensor in several nodes, each behind its own grid. */
const FUNCTIONS: Readonly<Record<string, Draw>> = {
  'x * sigmoid(x)': (b, s, x) => b.node('Mul', [x, s.pair(b.node('Sigmoid', [x]), 2 ** -8, 0)]),
  'hard swish by its parts': (b, s, x) => {
    const six = s.pair(b.node('Clip', [b.node('Add', [x, number(s, 3)]), s.scalar(0), s.scalar(6)]), 2 ** -5, 0);
    return b.node('Div', [s.pair(b.node('Mul', [x, six]), 2 ** -3, 40), number(s, 6)]);
  },
  'a product on grids that are no powers of two': (b, s, x) =>
    b.node('Mul', [x, s.pair(b.node('Add', [x, s.pair(b.node('Neg', [x]), 0.0531, 90)]), 0.0307, 77)]),
  'a table behind a table': (b, s, x) => b.node('Tanh', [s.pair(b.node('Elu', [x]))]),
  'the larger of two functions': (b, s, x) =>
    b.node('Max', [s.pair(b.node('Sin', [x]), 2 ** -7, 128), s.pair(b.node('Cos', [x]), 2 ** -7, 128)]),
  'a sum that is clamped': (b, s, x) => b.node('Relu', [b.node('Add', [x, s.pair(b.node('Erf', [x]), 2 ** -7, 128)])]),
};

/** All 256 bytes. */
const BYTES = tensorFrom(
  'uint8',
  [256],
  Array.from({ length: 256 }, (_, i) => i),
);

test.each(Object.keys(FUNCTIONS))('%s is one table, byte for byte what the nodes give', async (name) => {
  const graph = inferShapes(
    sketch((b, s) => {
      const x = b.node('DequantizeLinear', [b.input('x', 'uint8', [256]), s.scalar(0.0619), s.scalar(100, 'uint8')]);
      return [s.quantize(FUNCTIONS[name](b, s, x), 0.0277, 60)];
    }),
  ).graph;
  const { plan, description } = compiled(graph);
  expect(description.variants[0].nodes.map(({ op }) => op)).toEqual(['lut_s8']);
  const feeds = new Map([['x', BYTES]]);
  const [[output, expected]] = await runReference(graph, feeds);
  expect(Array.from(runEngine(plan, feeds)[output])).toEqual(toNumbers(expected));
});

test('what others read as well stays, and operands of two tensors stay apart', async () => {
  const graph = inferShapes(
    sketch((b, s) => {
      const pair = (name: string) =>
        b.node('DequantizeLinear', [b.input(name, 'uint8', [256]), s.scalar(2 ** -4), s.scalar(100, 'uint8')]);
      const [x, y] = [pair('x'), pair('y')];
      const gate = s.quantize(b.node('Sigmoid', [x]), 2 ** -8, 0);
      const open = b.node('DequantizeLinear', [gate, s.scalar(2 ** -8), s.scalar(0, 'uint8')]);
      return [gate, s.quantize(b.node('Mul', [x, open])), s.quantize(b.node('Mul', [y, open]))];
    }),
  ).graph;
  const { plan, description } = compiled(graph);
  const ops = description.variants[0].nodes.map(({ op }) => op);
  expect(ops.filter((op) => op === 'binary_s8')).toHaveLength(1);
  const feeds = new Map([
    ['x', BYTES],
    ['y', tensorFrom('uint8', [256], [...toNumbers(BYTES)].reverse())],
  ]);
  const found = runEngine(plan, feeds);
  for (const [name, expected] of await runReference(graph, feeds))
    expect(Array.from(found[name])).toEqual(toNumbers(expected));
});
