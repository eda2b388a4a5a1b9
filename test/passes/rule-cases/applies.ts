import type { GraphBuilder } from '../../../lib/ir/builder';
import { tensorFrom } from '../../../lib/ir/tensor';
import { type Build, type Constants, codes, foreign, image, relu, row } from './build';

/** One place where each rule applies, and one more form where a rule has several. */
export const APPLIES: readonly (readonly [rule: string, build: Build])[] = [
  ['drop-empty-parts', (b) => b.node('Concat', [row(b), b.input('none', 'float32', ['N', 0])], { axis: 1 })],
  ['remove-identity', (b) => relu(b, b.node('Identity', [row(b)]))],
  ['remove-dropout', (b) => relu(b, b.node('Dropout', [row(b)]))],
  [
    'remove-dropout',
    (b, c) => relu(b, b.node('Dropout', [row(b), c.scalar(0.5), b.initializer(tensorFrom('bool', [], [0]), 'train')])),
  ],
  ['remove-reshape', (b, c) => relu(b, b.node('Reshape', [row(b), c.ints(0, 4)]))],
  ['remove-flatten', (b) => relu(b, b.node('Flatten', [row(b)]))],
  ['remove-expand', (b, c) => relu(b, b.node('Expand', [b.input('x', 'float32', [3, 4]), c.ints(3, 1)]))],
  ['remove-cast', (b) => relu(b, b.node('Cast', [row(b)], { to: 1 }))],
  ['remove-concat', (b) => relu(b, b.node('Concat', [row(b)], { axis: 0 }))],
  ['remove-transpose', (b) => relu(b, b.node('Transpose', [row(b)], { perm: [0, 1] }))],
  ['remove-slice', (b, c) => relu(b, b.node('Slice', [row(b), c.ints(0), c.ints(9), c.ints(1), c.ints(1)]))],
  ['remove-pad', (b, c) => relu(b, b.node('Pad', [row(b), c.ints(0, 0, 0, 0)]))],
  [
    'remove-resize',
    (b) => relu(b, b.node('Resize', [image(b), '', b.initializer(tensorFrom('float32', [4], [1, 1, 1, 1]), 'scales')])),
  ],
  ['remove-clip', (b) => relu(b, b.node('Clip', [row(b)]))],
  [
    'merge-transposes',
    (b) => {
      const first = b.node('Transpose', [image(b)], { perm: [0, 2, 3, 1] });
      return b.node('Transpose', [first], { perm: [0, 2, 1, 3] });
    },
  ],
  ['merge-reshapes', (b, c) => b.node('Reshape', [b.node('Flatten', [image(b)]), c.ints(-1, 6)])],
  ['clip-to-relu', (b, c) => b.node('Clip', [row(b), c.scalar(0)])],
  ['extreme-to-clip', (b, c) => b.node('Min', [row(b), c.scalar(0.5)])],
  ['extreme-to-clip', (b, c) => b.node('Max', [c.scalar(-0.5), row(b)])],
  ['merge-clamps', (b, c) => b.node('Clip', [relu(b, row(b)), c.scalar(-1), c.scalar(1)])],
  [
    'merge-clamps',
    (b, c) => {
      const inner = b.node('Clip', [row(b), c.scalar(-1.5), c.scalar(1.5)]);
      return b.node('Clip', [inner, c.scalar(-0.5), c.scalar(0.5)]);
    },
  ],
  [
    'clamp-before-pool',
    (b, c) => relu(b, b.node('MaxPool', [c.conv(image(b))], { kernel_shape: [2, 2], pads: [1, 1, 0, 0] })),
  ],
  [
    'explicit-pads',
    (b, c) =>
      b.node('Conv', [image(b), c.floats([3, 2, 3, 2])], {
        auto_pad: 'SAME_UPPER',
        dilations: [2, 3],
        strides: [2, 1],
      }),
  ],
  [
    'explicit-pads',
    (b) =>
      b.node('MaxPool', [image(b)], {
        auto_pad: 'SAME_LOWER',
        kernel_shape: [2, 3],
        dilations: [1, 2],
        strides: [3, 2],
        ceil_mode: 1,
      }),
  ],
  [
    'explicit-pads',
    (b) =>
      b.node('AveragePool', [image(b)], {
        auto_pad: 'SAME_UPPER',
        kernel_shape: [2, 2],
        dilations: [2, 2],
        strides: [4, 5],
        ceil_mode: 1,
      }),
  ],
  ['pad-into-conv', (b, c) => c.conv(b.node('Pad', [image(b), c.ints(0, 0, 1, 2, 0, 0, 0, 1)]))],
  [
    'pad-into-conv',
    (b, c) => {
      const padded = b.node('Pad', [image(b), c.ints(1, 2), c.scalar(0.01), c.ints(-1)]);
      const window = { kernel_shape: [1, 1], strides: [1, 2], pads: [0, 1, 0, 1] };
      return b.node('Conv', [c.pair(padded, 2 ** -4, 100), c.floats([3, 2, 1, 1]), c.floats([3])], window);
    },
  ],
  [
    'pad-into-conv',
    (b, c) => {
      const padded = b.node('Pad', [codes(b), c.ints(0, 0, 1, 1, 0, 0, 1, 1), c.bytes('uint8', 100)]);
      return c.conv(b.node('DequantizeLinear', c.operand(padded)));
    },
  ],
  [
    'pad-into-max-pool',
    (b, c) => {
      const padded = b.node('Pad', [image(b), c.ints(0, 0, 1, 1, 0, 0, 0, 0), c.scalar(Number.NEGATIVE_INFINITY)]);
      return b.node('MaxPool', [padded], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 0, 0, 0] });
    },
  ],
  [
    'pad-into-max-pool',
    (b, c) =>
      b.node('MaxPool', [b.node('Pad', [codes(b), c.ints(0, 0, 1, 1, 0, 0, 1, 1)])], {
        kernel_shape: [2, 2],
        auto_pad: 'VALID',
      }),
  ],
  [
    'pad-into-max-pool',
    (b, c) => {
      // Lower than every code of the grid.
      const padded = b.node('Pad', [image(b), c.ints(0, 0, 1, 1, 0, 0, 1, 1), c.scalar(-100)]);
      return b.node('MaxPool', [c.pair(padded, 2 ** -4, 100)], { kernel_shape: [2, 2] });
    },
  ],
  [
    'pad-into-average-pool',
    (b, c) =>
      b.node('AveragePool', [b.node('Pad', [image(b), c.ints(0, 0, 1, 0, 0, 0, 1, 1)])], {
        kernel_shape: [2, 2],
      }),
  ],
  [
    'pad-into-average-pool',
    (b, c) =>
      b.node('AveragePool', [b.node('Pad', [image(b), c.ints(0, 0, 1, 0, 0, 0, 1, 1)])], {
        kernel_shape: [3, 3],
        pads: [1, 1, 1, 1],
        count_include_pad: 1,
      }),
  ],
  ['subtract-to-add', (b, c) => b.node('Sub', [row(b), c.floats([4])])],
  [
    'divide-to-multiply',
    (b) => {
      const powers = tensorFrom('float32', [4], [2, -0.25, 2 ** 126, 2 ** -126]);
      return b.node('Div', [row(b), b.initializer(powers, 'powers')]);
    },
  ],
  ['absorb-bias', (b, c) => b.node('Add', [c.floats([1, 3, 1, 1]), c.conv(image(b), c.floats([3], 2))])],
  ['absorb-bias', (b, c) => b.node('Add', [b.node('Gemm', [row(b), c.floats([3, 4])], { transB: 1 }), c.scalar(0.5)])],
  ['product-to-gemm', (b, c) => b.node('Add', [b.node('MatMul', [row(b), c.floats([4, 3])]), c.floats([3], 2)])],
  ['mean-to-pool', (b, c) => b.node('ReduceMean', [image(b), c.ints(-1, 2)])],
  ['reshape-to-flatten', (b, c) => b.node('Reshape', [image(b), c.ints(0, -1)])],
  ['reshape-to-flatten', (b, c) => b.node('Squeeze', [b.input('x', 'float32', ['N', 3, 1]), c.ints(2)])],
  ['fuse-batch-norm', (b, c) => b.node('BatchNormalization', [c.conv(image(b), c.floats([3], 2)), ...c.norm(3)])],
  [
    'fuse-batch-norm',
    (b, c) => {
      const linear = b.node('Gemm', [row(b), c.floats([3, 4]), c.floats([1, 3], 2)], { transB: 1 });
      return b.node('BatchNormalization', [linear, ...c.norm(3)]);
    },
  ],
  [
    'unfuse-qlinear-conv',
    (b, c) => {
      const w = b.initializer(tensorFrom('int8', [2, 2, 1, 1], [100, -50, 25, 127]), 'w');
      const filters = [w, c.floats([2], 9), c.bytes('int8', 0, 0)];
      const bias = b.initializer(tensorFrom('int32', [2], [300, -700]), 'bias');
      return b.node('QLinearConv', [...c.operand(codes(b)), ...filters, ...c.grid(0.125, 90), bias]);
    },
  ],
  [
    'unfuse-qlinear-mat-mul',
    (b, c) => {
      const w = b.initializer(tensorFrom('int8', [4, 2], [1, -2, 30, -40, 50, 60, -70, 80]), 'w');
      const weights = [w, c.scalar(0.5), c.bytes('int8', 0)];
      const x = b.input('x', 'uint8', ['N', 4]);
      return b.node('QLinearMatMul', [...c.operand(x), ...weights, ...c.grid(0.125, 90)]);
    },
  ],
  ...['Add', 'Mul'].map(
    (op) =>
      [
        `unfuse-qlinear-${op.toLowerCase()}`,
        (b: GraphBuilder, c: Constants) =>
          foreign(b, `QLinear${op}`, [...c.operand(codes(b)), ...c.operand(codes(b, 'y')), ...c.grid(0.125, 90)]),
      ] as const,
  ),
  ...(
    [
      ['sigmoid', 'Sigmoid', {}],
      ['leaky-relu', 'LeakyRelu', {}],
      ['softmax', 'Softmax', { axis: 1, opset: 13 }],
    ] as const
  ).map(
    ([name, op, attributes]) =>
      [
        `unfuse-qlinear-${name}`,
        (b: GraphBuilder, c: Constants) =>
          foreign(b, `QLinear${op}`, [...c.operand(codes(b)), ...c.grid(0.125, 90)], attributes),
      ] as const,
  ),
  [
    'unfuse-qlinear-concat',
    (b, c) =>
      foreign(b, 'QLinearConcat', [...c.grid(0.125, 90), ...c.operand(codes(b)), ...c.operand(codes(b, 'y'))], {
        axis: 1,
      }),
  ],
  [
    'unfuse-qgemm',
    (b, c) => {
      const w = b.initializer(tensorFrom('int8', [2, 2], [1, -2, 30, -40]), 'w');
      const x = c.operand(b.input('x', 'uint8', ['N', 2]));
      return foreign(b, 'QGemm', [...x, w, c.scalar(0.5), c.bytes('int8', 0), '', ...c.grid(0.125, 90)]);
    },
  ],
  [
    'scalar-scales',
    (b) => {
      const scale = b.initializer(tensorFrom('float32', [1], [0.5]), 'scale');
      return b.node('DequantizeLinear', [codes(b), scale, b.initializer(tensorFrom('uint8', [1], [9]), 'zero')]);
    },
  ],
];
