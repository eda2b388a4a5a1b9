import type { GraphBuilder } from '../../lib/ir/builder';
import { tensorFrom } from '../../lib/ir/tensor';
import { fromDense } from '../../lib/ops/dense';
import { inferShapes } from '../../lib/passes/infer-shapes';
import { arrayOf, compiled, runEngine, runReference } from './run-case';
import { feedsOf, type Sketch, sketch } from './small-graphs';

const image = (b: GraphBuilder, c = 4, h = 5, w = 6): string => b.input('x', 'float32', [1, c, h, w]);

/** Graphs at the edges of lowering: what they are, how they are drawn, and operations that their plan must or must not have. */
const CASES: readonly {
  readonly what: string;
  readonly draw: (b: GraphBuilder, s: Sketch) => readonly string[];
  readonly has?: readonly string[];
  readonly lacks?: readonly string[];
}[] = [
  { what: 'a graph output that is a graph input', draw: (b) => [b.input('x', 'float32', [2, 3])], has: ['copy_nd'] },
  { what: 'bytes that go straight through', draw: (b) => [b.input('x', 'uint8', [2, 3])], has: ['lut_s8'] },
  {
    what: 'a graph output that is an initializer',
    draw: (b) => [
      b.node('Relu', [b.input('x', 'float32', [2])]),
      b.initializer(tensorFrom('float32', [3], [1, 2, 3]), 'k'),
    ],
  },
  {
    what: 'a scalar',
    draw: (b, s) => [b.node('Add', [s.pair(b.input('x', 'float32', [])), s.pair(s.scalar(2))])],
  },
  {
    what: 'differences and quotients in both orders, repeated and whole',
    draw: (b, s) => {
      const x = s.pair(b.input('x', 'float32', [2, 3, 4, 5]));
      const column = s.pair(b.input('column', 'float32', [3, 1, 1]));
      const six = s.pair(s.scalar(6), 2 ** -4);
      return [
        s.pair(b.node('Sub', [x, column])),
        s.pair(b.node('Sub', [column, x])),
        s.pair(b.node('Sub', [six, x])),
        s.pair(b.node('Div', [x, six]), 2 ** -6),
        s.pair(b.node('Max', [column, x])),
        s.pair(b.node('Min', [x, six])),
        b.node('Sub', [b.node('Div', [x, s.scalar(3)]), b.node('Max', [x, b.node('Relu', [column])])]),
      ];
    },
    has: ['binary_s8', 'binary_f32'],
  },
  {
    what: 'a value that is an output and is read inside',
    draw: (b, s) => {
      const conv = s.pair(s.conv(s.pair(image(b)), 4, 6));
      const relu = s.pair(b.node('Relu', [conv]));
      return [conv, relu, s.conv(relu, 6, 2)];
    },
    has: ['conv_s8'],
  },
  {
    what: 'a convolution whose float result is an output too: it stays float',
    draw: (b, s) => {
      const conv = s.conv(s.pair(image(b)), 4, 6);
      return [conv, s.pair(conv)];
    },
    has: ['conv_f32', 'quantize_s8'],
    lacks: ['conv_s8'],
  },
  {
    what: 'activations in a row and a crossed Clip before the quantization',
    draw: (b, s) => {
      const conv = s.conv(s.pair(image(b)), 4, 4);
      const clip = b.node('Clip', [b.node('Relu', [conv]), s.scalar(0.3), s.scalar(1.1)]);
      return [
        s.pair(b.node('Clip', [clip, s.scalar(0.9), s.scalar(0.7)])),
        s.pair(b.node('Relu', [s.conv(clip, 4, 2)])),
      ];
    },
  },
  {
    what: 'Clip bounds beyond the int8 grid',
    draw: (b, s) => [s.pair(b.node('Clip', [s.conv(s.pair(image(b)), 4, 4), s.scalar(-1e6), s.scalar(1e6)]))],
    has: ['conv_s8'],
    lacks: ['lut_s8'],
  },
  {
    what: 'another scale behind an operation that moves bytes',
    draw: (b, s) => {
      const pooled = b.node('MaxPool', [s.pair(image(b))], { kernel_shape: [2, 2] });
      return [s.pair(b.node('Transpose', [s.pair(pooled, 2 ** -5, 30)], { perm: [0, 3, 1, 2] }), 2 ** -3, 10)];
    },
    has: ['max_pool_s8', 'lut_s8'],
    lacks: ['max_pool_f32'],
  },
  {
    what: 'int8 without a zero point, and uint8 and int8 side by side',
    draw: (b, s) => {
      const x = b.node('DequantizeLinear', [b.input('x', 'int8', [1, 4, 5, 6]), s.scalar(2 ** -4)]);
      const y = b.node('DequantizeLinear', [b.input('y', 'uint8', [1, 4, 5, 6]), s.scalar(2 ** -5)]);
      return [
        s.pair(b.node('Add', [x, y]), 2 ** -4, -7, 'int8'),
        b.node('QuantizeLinear', [s.conv(y, 4, 3), s.scalar(0.25)]),
      ];
    },
    has: ['binary_s8', 'conv_s8'],
  },
  {
    what: 'bytes turned, cut, padded and joined before anybody dequantizes them',
    draw: (b, s) => {
      const x = b.node('Transpose', [b.input('x', 'uint8', [1, 5, 6, 3])], { perm: [0, 3, 1, 2] });
      const padded = b.node('Pad', [x, s.ints(0, 0, 1, 1, 0, 0, 0, 2), s.scalar(128, 'uint8')]);
      const joined = b.node('Concat', [padded, padded], { axis: 1 });
      const real = b.node('DequantizeLinear', [joined, s.scalar(2 ** -6), s.scalar(128, 'uint8')]);
      return [s.pair(s.conv(real, 6, 4)), joined];
    },
    has: ['conv_s8'],
  },
  {
    what: 'the same bytes read with two grids',
    draw: (b, s) => {
      const x = b.input('x', 'uint8', [1, 4, 5, 6]);
      const real = (scale: number, zero: number) =>
        b.node('DequantizeLinear', [x, s.scalar(scale), s.scalar(zero, 'uint8')]);
      return [
        s.pair(b.node('Add', [real(2 ** -4, 3), real(2 ** -6, 200)])),
        s.pair(s.conv(real(2 ** -5, 9), 4, 2)),
        s.pair(s.conv(real(2 ** -4, 70), 4, 2)),
      ];
    },
    has: ['lut_s8', 'conv_s8'],
    lacks: ['binary_f32', 'binary_s8', 'conv_f32'],
  },
  {
    what: 'a convolution and its own result read with another grid: no residual',
    draw: (b, s) => {
      const q = s.quantize(s.conv(s.pair(image(b)), 4, 4), 2 ** -3, 90);
      const other = b.node('DequantizeLinear', [q, s.scalar(2 ** -5), s.scalar(20, 'uint8')]);
      return [s.pair(b.node('Add', [other, s.pair(b.input('r', 'float32', [1, 4, 5, 6]))]))];
    },
    has: ['binary_s8'],
  },
  {
    what: 'a tensor added to and multiplied with itself',
    draw: (b, s) => {
      const x = s.pair(image(b));
      return [s.pair(b.node('Add', [x, x])), s.pair(b.node('Mul', [x, x]), 2 ** -2)];
    },
  },
  {
    what: 'a residual that the convolution reads too',
    draw: (b, s) => {
      const x = s.pair(image(b));
      return [s.pair(b.node('Relu', [b.node('Add', [s.pair(s.conv(x, 4, 4), 2 ** -3), x])]))];
    },
    lacks: ['binary_s8'],
  },
  {
    what: 'residuals that are constant, broadcast or of another order are no residuals',
    draw: (b, s) => {
      const x = s.pair(image(b));
      const conv = () => s.pair(s.conv(x, 4, 4), 2 ** -3);
      const gate = b.node('GlobalAveragePool', [x]);
      const turned = b.node('Transpose', [s.pair(b.input('t', 'float32', [1, 4, 6, 5]))], { perm: [0, 1, 3, 2] });
      return [
        s.pair(b.node('Add', [conv(), s.weights([1, 4, 1, 1])])),
        s.pair(b.node('Add', [s.pair(gate), conv()])),
        s.pair(b.node('Add', [turned, conv()])),
      ];
    },
  },
  {
    what: 'operands that broadcast both ways, from fewer axes and over the inner axes',
    draw: (b, s) => {
      const x = s.pair(b.input('x', 'float32', [2, 3, 1, 4]));
      const y = s.pair(b.input('y', 'float32', [5, 1]));
      const z = s.pair(b.input('z', 'float32', [1, 1, 5, 4]));
      const both = s.pair(b.node('Add', [x, y]));
      return [
        both,
        s.pair(b.node('Mul', [z, both])),
        s.pair(b.node('Add', [b.node('Flatten', [y], { axis: 0 }), s.scalar(3)])),
      ];
    },
  },
  {
    what: 'two halves of a tensor, each brought into another order',
    draw: (b, s) => {
      const x = s.pair(b.input('x', 'float32', [1, 6, 5, 6]));
      const half = (from: number) => b.node('Slice', [x, s.ints(from), s.ints(from + 3), s.ints(1)]);
      return [0, 3].map((from) => s.pair(s.conv(half(from), 3, 2)));
    },
    lacks: ['conv_f32'],
  },
  {
    what: 'bytes of different grids joined as they are',
    draw: (b, s) => {
      const x = image(b);
      const bytes = [s.quantize(x, 2 ** -4, 3), s.quantize(x, 2 ** -5, 77)];
      const joined = b.node('Concat', bytes, { axis: 2 });
      return [joined, b.node('DequantizeLinear', [joined, s.scalar(0.5), s.scalar(9, 'uint8')])];
    },
  },
  {
    what: 'int8 parts with different grids joined',
    draw: (b, s) => {
      const x = image(b);
      const parts = [s.pair(x, 2 ** -4, 3), s.pair(x, 2 ** -5, 77), s.pair(x, 2 ** -4, 3)];
      return [s.pair(b.node('Concat', parts, { axis: 1 }), 2 ** -3, 20), b.node('Concat', parts, { axis: -1 })];
    },
  },
  {
    what: 'pads that the grid does not have',
    draw: (b, s) => {
      const x = s.pair(image(b), 0.5, 0);
      const pad = (value: number) => b.node('Pad', [x, s.ints(0, 0, 1, 0, 0, 1, 0, 2), s.scalar(value)]);
      return [pad(-3), pad(0.3), s.pair(pad(0.3), 2 ** -6, 20), s.pair(pad(7), 0.5, 0)];
    },
  },
  {
    what: 'Gemm over a flattened channels-last image: no copy',
    draw: (b, s) => {
      const flat = b.node('Flatten', [s.pair(s.conv(s.pair(image(b)), 4, 3))]);
      return [s.pair(b.node('Gemm', [flat, s.weights([7, 90])], { transB: 1 }))];
    },
    has: ['fc_s8'],
    lacks: ['copy_nd'],
  },
  {
    what: 'Gemm with alpha and beta, and weights that are scaled along their inner axis, stay float',
    draw: (b, s) => {
      const x = s.pair(b.input('x', 'float32', [3, 8]));
      const bias = b.initializer(tensorFrom('float32', [1, 5], [1, 2, 3, 4, 5]), 'bias');
      const scaled = b.node('Gemm', [x, s.weights([5, 8]), bias], {
        transB: 1,
        alpha: { kind: 'float', value: 0.5 },
        beta: { kind: 'float', value: 2 },
      });
      return [s.pair(scaled), s.pair(b.node('MatMul', [x, s.weights([8, 8], 0)]))];
    },
    has: ['fc_f32'],
    lacks: ['fc_s8'],
  },
  {
    what: 'MatMul of rank 3, and over a transposed sequence',
    draw: (b, s) => {
      const x = s.pair(b.input('x', 'float32', [2, 3, 8]));
      const turned = b.node('Transpose', [x], { perm: [0, 2, 1] });
      return [
        s.pair(b.node('MatMul', [x, s.weights([8, 5], 1)])),
        s.pair(b.node('MatMul', [turned, s.weights([3, 4], 1)])),
      ];
    },
    has: ['fc_s8'],
    lacks: ['fc_f32'],
  },
  {
    what: 'Softmax over any axis',
    draw: (b) => [0, 1, -1].map((axis) => b.node('Softmax', [b.node('Relu', [axis === 0 ? image(b) : 'x'])], { axis })),
  },
  {
    what: 'windows over sequences: one layout from the border on',
    draw: (b, s) => {
      const x = s.pair(b.input('x', 'float32', [2, 4, 17]));
      const conv = b.node('Conv', [x, s.weights([6, 4, 3])], { strides: [2], dilations: [2], pads: [2, 1] });
      return [s.pair(b.node('MaxPool', [s.pair(conv)], { kernel_shape: [3], pads: [1, 0] }))];
    },
    has: ['conv_s8', 'max_pool_s8'],
  },
  {
    what: 'depthwise with two outputs per channel, groups, and batches',
    draw: (b, s) => {
      const x = s.pair(b.input('x', 'float32', [3, 4, 5, 6]));
      const twice = b.node('Conv', [x, s.weights([8, 1, 3, 3])], { group: 4, pads: [1, 1, 1, 1] });
      return [s.pair(b.node('Conv', [s.pair(twice), s.weights([6, 4, 1, 1])], { group: 2 }))];
    },
    has: ['conv_s8'],
    lacks: ['dwconv_s8'],
  },
  {
    what: 'an input that is reshaped into an image',
    draw: (b, s) => [
      s.pair(s.conv(s.pair(b.node('Reshape', [b.input('x', 'float32', [1, 120]), s.ints(1, 4, 5, 6)])), 4, 3)),
    ],
  },
  {
    what: 'a channels-last input: no copy on the way in',
    draw: (b, s) => {
      const x = b.node('Transpose', [b.input('x', 'float32', [1, 5, 6, 4])], { perm: [0, 3, 1, 2] });
      return [s.pair(s.conv(s.pair(x), 4, 3))];
    },
    lacks: ['copy_nd'],
  },
  {
    what: 'a float bias, and one with a scale of its own, in a quantized model',
    draw: (b, s) => {
      const x = s.pair(image(b));
      const bias = b.initializer(tensorFrom('float32', [2], [0.5, -1.25]), 'bias');
      const integers = b.initializer(tensorFrom('int32', [2], [5, -9]), 'bias');
      const own = b.node('DequantizeLinear', [integers, s.scalar(0.125)]);
      return [bias, own].map((addend) => s.pair(b.node('Conv', [x, s.weights([2, 4, 3, 3]), addend])));
    },
    has: ['conv_s8'],
    lacks: ['conv_f32'],
  },
  {
    what: 'weights of 16 and 4 bits and per block: their layers stay float',
    draw: (b, s) => {
      const x = s.pair(b.input('x', 'float32', [2, 4]));
      const w = (type: 'int16' | 'int4') =>
        b.initializer(fromDense({ type, dims: [4, 2], data: Int8Array.of(1, -2, 3, 4, -5, 6, 7, -8) }), 'w');
      const perBlock = b.initializer(tensorFrom('float32', [2, 2], [0.5, 0.25, 0.125, 1]), 's');
      return [
        s.pair(b.node('MatMul', [x, b.node('DequantizeLinear', [w('int16'), s.scalar(0.5)])])),
        s.pair(b.node('MatMul', [x, b.node('DequantizeLinear', [w('int4'), perBlock], { axis: 0, block_size: 2 })])),
      ];
    },
    has: ['fc_f32'],
    lacks: ['fc_s8'],
  },
];

test.each(CASES)('$what', async ({ draw, has = [], lacks = [] }) => {
  const graph = inferShapes(sketch(draw)).graph;
  const feeds = feedsOf(graph);
  const { plan, description } = compiled(graph);
  const ops = description.variants[0].nodes.map(({ op }) => op as string);
  expect(has.filter((op) => !ops.includes(op))).toEqual([]);
  expect(lacks.filter((op) => ops.includes(op))).toEqual([]);
  const expected = await runReference(graph, feeds);
  const found = runEngine(plan, feeds);
  for (const name of graph.outputs) {
    const [a, b] = [Array.from(arrayOf(expected.get(name)!)), Array.from(found[name])];
    expect(b).toHaveLength(a.length);
    const largest = Math.max(...a.map(Math.abs));
    // Bytes and what they stand for are equal; sums that stay float may round otherwise.
    expect(a.filter((x, i) => !(Math.abs(x - b[i]) <= 2e-6 * largest))).toEqual([]);
  }
});
