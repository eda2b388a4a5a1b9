import type { GraphBuilder } from '../../lib/ir/builder';
import { inferShapes } from '../../lib/passes/infer-shapes';
import { compiled } from './run-case';
import { type Sketch, sketch } from './small-graphs';

/** Operations of a plan in order, with a `+` behind convolutions that add a residual. */
function operations(draw: (b: GraphBuilder, s: Sketch) => readonly string[]): string[] {
  const { description } = compiled(inferShapes(sketch(draw)).graph);
  return description.variants[0].nodes
    .filter(({ op }) => /conv|binary/.test(op))
    .map(({ op, inputs }) => `${op}${(inputs[5] ?? null) === null ? '' : '+'}`);
}

const input = (b: GraphBuilder, s: Sketch, name = 'x'): string => s.pair(b.input(name, 'float32', [1, 4, 5, 5]));
const sum = (b: GraphBuilder, s: Sketch, first: string, second: string): string =>
  s.pair(b.node('Add', [first, second]), 2 ** -3);
const layer = (s: Sketch, x: string): string => s.pair(s.conv(x, 4, 4), 2 ** -3, 120);

const CASES: readonly (readonly [what: string, draw: (b: GraphBuilder, s: Sketch) => string[], expected: string[]])[] =
  [
    [
      'an addition joins the convolution before it, on either side',
      (b, s) => {
        const x = input(b, s);
        return [sum(b, s, layer(s, x), x), sum(b, s, x, layer(s, x))];
      },
      ['conv_s8+', 'conv_s8+'],
    ],
    [
      'of two convolutions the later one adds',
      (b, s) => {
        const x = input(b, s);
        return [sum(b, s, layer(s, x), layer(s, x))];
      },
      ['conv_s8', 'conv_s8+'],
    ],
    [
      'a convolution adds once',
      (b, s) => {
        const x = input(b, s);
        return [sum(b, s, sum(b, s, layer(s, x), x), x)];
      },
      ['conv_s8+', 'binary_s8'],
    ],
    [
      'a result with another reader stays',
      (b, s) => {
        const x = input(b, s);
        const conv = layer(s, x);
        return [sum(b, s, conv, x), s.pair(b.node('Relu', [conv]))];
      },
      ['conv_s8', 'binary_s8'],
    ],
    [
      'a result that is an output stays',
      (b, s) => {
        const x = input(b, s);
        const conv = layer(s, x);
        return [sum(b, s, conv, x), conv];
      },
      ['conv_s8', 'binary_s8'],
    ],
    [
      'a residual that is made after the convolution is waited for',
      (b, s) => {
        const [x, y, z] = [input(b, s), input(b, s, 'y'), input(b, s, 'z')];
        const conv = layer(s, x);
        return [sum(b, s, conv, s.pair(b.node('Mul', [y, z])))];
      },
      ['binary_s8', 'conv_s8+'],
    ],
    [
      'the same operand twice is a table, and no residual',
      (b, s) => [((v) => sum(b, s, v, v))(layer(s, input(b, s)))],
      ['conv_s8'],
    ],
    [
      'multiplications, broadcasts and depthwise convolutions stay',
      (b, s) => {
        const x = input(b, s);
        const depthwise = b.node('Conv', [x, s.weights([4, 1, 3, 3])], { pads: [1, 1, 1, 1], group: 4 });
        return [
          s.pair(b.node('Mul', [layer(s, x), x])),
          sum(b, s, layer(s, x), s.weights([1, 4, 1, 1])),
          sum(b, s, s.pair(depthwise), x),
        ];
      },
      ['dwconv_s8', 'conv_s8', 'binary_s8', 'conv_s8', 'binary_s8', 'binary_s8'],
    ],
  ];

// What the fused steps compute is compared with onnxruntime in cases.test.ts and networks.test.ts.
test.each(CASES)('%s', (_, draw, expected) => {
  expect(operations(draw)).toEqual(expected);
});

test('the convolution rounds to its own grid before it adds', () => {
  const graph = sketch((b, s) => {
    const x = input(b, s);
    const conv = s.pair(b.node('Relu', [s.conv(x, 4, 4)]), 2 ** -3, 120);
    return [s.pair(b.node('Clip', [b.node('Add', [conv, x]), s.scalar(-1), s.scalar(1)]), 2 ** -5, 128)];
  });
  const node = compiled(inferShapes(graph).graph).description.variants[0].nodes.find(({ op }) => op === 'conv_s8');
  expect(node?.params).toMatchObject({
    clamp: { qmin: -8, qmax: 127 },
    residual: { scale: 2 ** -3, zeroPoint: -8, clamp: { qmin: -32, qmax: 32 } },
  });
});
