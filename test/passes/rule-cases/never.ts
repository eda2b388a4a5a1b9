import type { GraphBuilder } from '../../../lib/ir/builder';
import { tensorFrom } from '../../../lib/ir/tensor';
import { type Build, type Constants, codes, foreign, image, relu, row } from './build';
import { padsThatStay } from './pads-that-stay';

/** Name of the rule that takes an integer operator apart. */
function ruleOf(op: string): string {
  return `unfuse-${op.replace(/([a-z])([A-Z])/g, '$1-$2').toLowerCase()}`;
}

/** Places where a rule must not apply, beside what the words of its pattern refuse. */
export const NEVER: readonly (readonly [rule: string, what: string, build: Build])[] = [
  [
    'drop-empty-parts',
    'all parts empty',
    (b) => b.node('Concat', [b.input('x', 'float32', [0]), b.input('y', 'float32', [0])], { axis: 0 }),
  ],
  [
    'drop-empty-parts',
    'an extent that is not known',
    (b) => b.node('Concat', [row(b), b.input('y', 'float32', ['N', 'M'])], { axis: 1 }),
  ],
  [
    'explicit-pads',
    'a kernel without holes',
    (b, c) => b.node('Conv', [image(b), c.floats([3, 2, 3, 3])], { auto_pad: 'SAME_UPPER' }),
  ],
  [
    'explicit-pads',
    'pads of its own',
    (b, c) => b.node('Conv', [image(b), c.floats([3, 2, 3, 3])], { pads: [1, 1, 1, 1], dilations: [2, 2] }),
  ],
  [
    'explicit-pads',
    'an extent that is not known',
    (b, c) =>
      b.node('Conv', [b.input('x', 'float32', ['N', 2, 'H', 6]), c.floats([3, 2, 3, 3])], {
        auto_pad: 'SAME_UPPER',
        dilations: [2, 2],
      }),
  ],
  ['remove-identity', 'a graph input as graph output', (b) => b.node('Identity', [row(b)])],
  [
    'remove-identity',
    'two names for one output',
    (b) => {
      const y = relu(b, row(b));
      return [y, b.node('Identity', [y])];
    },
  ],
  [
    'remove-dropout',
    'training',
    (b, c) => relu(b, b.node('Dropout', [row(b), c.scalar(0.5), b.initializer(tensorFrom('bool', [], [1]), 'train')])),
  ],
  [
    'remove-dropout',
    'a mask that is read',
    (b) => {
      const [y, mask] = b.nodes('Dropout', [row(b)], 2);
      return [relu(b, y), b.node('Not', [mask])];
    },
  ],
  ['remove-reshape', 'another shape', (b, c) => relu(b, b.node('Reshape', [row(b), c.ints(-1, 2)]))],
  ['remove-flatten', 'another rank', (b) => relu(b, b.node('Flatten', [image(b)]))],
  ['remove-expand', 'more elements', (b, c) => relu(b, b.node('Expand', [row(b), c.ints(2, 1, 1)]))],
  ['remove-cast', 'another type', (b) => b.node('Neg', [b.node('Cast', [row(b)], { to: 7 })])],
  ['remove-concat', 'two parts', (b) => relu(b, b.node('Concat', [row(b), row2(b)], { axis: 0 }))],
  ['remove-transpose', 'another order', (b) => relu(b, b.node('Transpose', [row(b)]))],
  [
    'remove-slice',
    'backwards',
    (b, c) => relu(b, b.node('Slice', [b.input('x', 'float32', [4]), c.ints(-1), c.ints(-9), c.ints(0), c.ints(-1)])),
  ],
  ['remove-slice', 'fewer elements', (b, c) => relu(b, b.node('Slice', [row(b), c.ints(1), c.ints(9), c.ints(1)]))],
  ['remove-pad', 'one element', (b, c) => relu(b, b.node('Pad', [row(b), c.ints(0, 0, 0, 1)]))],
  [
    'remove-resize',
    'a scale',
    (b) => relu(b, b.node('Resize', [image(b), '', b.initializer(tensorFrom('float32', [4], [1, 1, 1, 2]), 'scales')])),
  ],
  [
    'remove-resize',
    'extents too',
    (b, c) => {
      const scales = b.initializer(tensorFrom('float32', [4], [1, 1, 1, 1]), 'scales');
      return relu(b, b.node('Resize', [image(b), '', scales, c.ints(1, 2, 3, 3)]));
    },
  ],
  ['remove-clip', 'a low bound', (b, c) => relu(b, b.node('Clip', [row(b), c.scalar(1)]))],
  ['remove-clip', 'a high bound', (b, c) => relu(b, b.node('Clip', [row(b), '', c.scalar(1)]))],
  [
    'merge-transposes',
    'no known rank',
    (b) => b.node('Transpose', [b.node('Transpose', [b.input('x', 'float32', undefined)])]),
  ],
  [
    'merge-reshapes',
    'an extent that is copied',
    (b, c) => b.node('Reshape', [b.node('Flatten', [image(b)]), c.ints(0, 6, 12)]),
  ],
  [
    'merge-reshapes',
    'zeros as extents',
    (b, c) => b.node('Reshape', [b.node('Flatten', [image(b)]), c.ints(-1, 6)], { allowzero: 1 }),
  ],
  ['clip-to-relu', 'another low bound', (b, c) => b.node('Clip', [row(b), c.scalar(0.5)])],
  ['clip-to-relu', 'a high bound', (b, c) => b.node('Clip', [row(b), c.scalar(0), c.scalar(6)])],
  ['clip-to-relu', 'a bound that is computed', (b) => b.node('Clip', [row(b), b.input('low', 'float32', [])])],
  ['clip-to-relu', 'codes', (b, c) => b.node('Clip', [codes(b), c.bytes('uint8', 0)])],
  ['extreme-to-clip', 'a constant with axes', (b, c) => b.node('Min', [row(b), c.floats([1, 1, 1])])],
  ['extreme-to-clip', 'NaN', (b, c) => b.node('Min', [row(b), c.scalar(Number.NaN)])],
  ['extreme-to-clip', 'three values', (b, c) => b.node('Max', [row(b), c.scalar(1), row2(b)])],
  ['extreme-to-clip', 'one value', (b) => b.node('Max', [row(b)])],
  ['merge-clamps', 'bounds that cross', (b, c) => b.node('Clip', [relu(b, row(b)), c.scalar(2), c.scalar(1)])],
  ['merge-clamps', 'bounds inside that cross', (b, c) => relu(b, b.node('Clip', [row(b), c.scalar(2), c.scalar(1)]))],
  [
    'merge-clamps',
    'codes',
    (b, c) => b.node('Clip', [b.node('Clip', [codes(b), c.bytes('uint8', 3)]), c.bytes('uint8', 9)]),
  ],
  ['merge-clamps', 'a bound that is computed', (b) => relu(b, b.node('Clip', [row(b), b.input('low', 'float32', [])]))],
  [
    'clamp-before-pool',
    'nothing to compute it on the way',
    (b) => relu(b, b.node('MaxPool', [image(b)], { kernel_shape: [2, 2] })),
  ],
  [
    'clamp-before-pool',
    'windows of padding alone',
    (b, c) => relu(b, b.node('MaxPool', [c.conv(image(b))], { kernel_shape: [2, 2], pads: [2, 0, 0, 0] })),
  ],
  [
    'clamp-before-pool',
    'holes over padding',
    (b, c) =>
      relu(b, b.node('MaxPool', [c.conv(image(b))], { kernel_shape: [2, 2], dilations: [2, 2], pads: [1, 1, 1, 1] })),
  ],
  [
    'clamp-before-pool',
    'another reader of the layer',
    (b, c) => {
      const layer = c.conv(image(b));
      return [relu(b, b.node('MaxPool', [layer], { kernel_shape: [2, 2] })), b.node('Neg', [layer])];
    },
  ],
  [
    'clamp-before-pool',
    'another reader of the pool',
    (b, c) => {
      const pooled = b.node('MaxPool', [c.conv(image(b))], { kernel_shape: [2, 2] });
      return [relu(b, pooled), b.node('Neg', [pooled])];
    },
  ],
  [
    'clamp-before-pool',
    'a bound that is computed',
    (b, c) =>
      b.node('Clip', [b.node('MaxPool', [c.conv(image(b))], { kernel_shape: [2, 2] }), b.input('low', 'float32', [])]),
  ],
  [
    'clamp-before-pool',
    'codes',
    (b, c) => {
      const sum = b.node('Add', [codes(b), codes(b, 'y')]);
      return b.node('Clip', [b.node('MaxPool', [sum], { kernel_shape: [2, 2] }), c.bytes('uint8', 3)]);
    },
  ],
  [
    'clamp-before-pool',
    'indices',
    (b, c) => {
      const [y, indices] = b.nodes('MaxPool', [c.conv(image(b))], 2, { kernel_shape: [2, 2] });
      return [relu(b, y), indices];
    },
  ],
  ...padsThatStay(),
  ['subtract-to-add', 'two constants', (b, c) => b.node('Sub', [c.floats([4]), c.floats([4], 2)])],
  ['subtract-to-add', 'a computed subtrahend', (b, c) => b.node('Sub', [c.floats([4]), row(b)])],
  ['subtract-to-add', 'integers', (b, c) => b.node('Sub', [b.input('x', 'int64', [2]), c.ints(1, 2)])],
  ...[3, 0, 2 ** 127, 2 ** -149, 1 + 2 ** -23, Number.POSITIVE_INFINITY, Number.NaN].map(
    (divisor) =>
      [
        'divide-to-multiply',
        `by ${divisor}`,
        (b: GraphBuilder, c: Constants) => b.node('Div', [row(b), c.scalar(divisor)]),
      ] as const,
  ),
  ['divide-to-multiply', 'two constants', (b, c) => b.node('Div', [c.floats([4]), c.scalar(2)])],
  ['divide-to-multiply', 'a computed divisor', (b, c) => b.node('Div', [c.scalar(2), row(b)])],
  ['divide-to-multiply', 'integers', (b, c) => b.node('Div', [b.input('x', 'int64', [2]), c.ints(2, 2)])],
  ['absorb-bias', 'a plane', (b, c) => b.node('Add', [c.conv(image(b)), c.floats([6, 6])])],
  [
    'absorb-bias',
    'one number per sample',
    (b, c) => b.node('Add', [c.conv(b.input('x', 'float32', [3, 2, 6, 6])), c.floats([3, 1, 1, 1])]),
  ],
  [
    'absorb-bias',
    'more axes than the layer makes',
    (b, c) => b.node('Add', [c.conv(image(b)), c.floats([1, 1, 3, 1, 1])]),
  ],
  [
    'absorb-bias',
    'a bias with a factor',
    (b, c) => {
      const layer = b.node('Gemm', [row(b), c.floats([4, 3]), c.floats([3])], { beta: { kind: 'float', value: 2 } });
      return b.node('Add', [layer, c.floats([3], 2)]);
    },
  ],
  [
    'absorb-bias',
    'a bias per row',
    (b, c) => {
      const layer = b.node('Gemm', [b.input('x', 'float32', [3, 4]), c.floats([4, 3]), c.floats([3, 1])]);
      return b.node('Add', [layer, c.floats([3], 2)]);
    },
  ],
  [
    'product-to-gemm',
    'three axes',
    (b, c) =>
      b.node('Add', [b.node('MatMul', [b.input('x', 'float32', ['N', 5, 4]), c.floats([4, 3])]), c.floats([3])]),
  ],
  [
    'product-to-gemm',
    'a stack of matrices',
    (b, c) => b.node('Add', [b.node('MatMul', [row(b), c.floats([1, 4, 3])]), c.floats([3])]),
  ],
  [
    'product-to-gemm',
    'one number per row',
    (b, c) => b.node('Add', [b.node('MatMul', [b.input('x', 'float32', [3, 4]), c.floats([4, 3])]), c.floats([3, 1])]),
  ],
  ['mean-to-pool', 'other axes', (b, c) => b.node('ReduceMean', [image(b), c.ints(1, 2)])],
  [
    'mean-to-pool',
    'another rank',
    (b, c) => b.node('ReduceMean', [b.input('x', 'float32', [1, 2, 3, 4, 5]), c.ints(2, 3)]),
  ],
  ['mean-to-pool', 'integers', (b, c) => b.node('ReduceMean', [b.input('x', 'int32', [1, 2, 4, 4]), c.ints(2, 3)])],
  [
    'mean-to-pool',
    'a mean that is quantized',
    (b, c) => c.pair(b.node('ReduceMean', [image(b), c.ints(2, 3)]), 2 ** -4, 100),
  ],
  ['mean-to-pool', 'no axes', (b) => b.node('ReduceMean', [image(b)])],
  ['reshape-to-flatten', 'another first extent', (b, c) => b.node('Reshape', [image(b), c.ints(-1, 36)])],
  ['reshape-to-flatten', 'two axes', (b, c) => b.node('Reshape', [row(b), c.ints(0, -1)])],
  [
    'fuse-batch-norm',
    'statistics of the batch',
    (b, c) => b.node('BatchNormalization', [c.conv(image(b)), ...c.norm(3)], { training_mode: 1 }),
  ],
  ['fuse-batch-norm', 'more outputs', (b, c) => b.nodes('BatchNormalization', [c.conv(image(b)), ...c.norm(3)], 3)],
  [
    'fuse-batch-norm',
    'a factor',
    (b, c) => {
      const layer = b.node('Gemm', [row(b), c.floats([4, 3])], { alpha: { kind: 'float', value: 2 } });
      return b.node('BatchNormalization', [layer, ...c.norm(3)]);
    },
  ],
  [
    'fuse-batch-norm',
    'a factor of the bias',
    (b, c) => {
      const layer = b.node('Gemm', [row(b), c.floats([4, 3]), c.floats([3])], { beta: { kind: 'float', value: 2 } });
      return b.node('BatchNormalization', [layer, ...c.norm(3)]);
    },
  ],
  [
    'fuse-batch-norm',
    'a bias of another length',
    (b, c) => {
      const conv = c.conv(image(b), c.floats([4]));
      b.declare(conv, 'float32', ['N', 3, 6, 6]);
      return b.node('BatchNormalization', [conv, ...c.norm(3)]);
    },
  ],
  [
    'fuse-batch-norm',
    'one number as the bias of three channels',
    (b, c) => {
      const conv = c.conv(image(b), c.floats([1]));
      b.declare(conv, 'float32', ['N', 3, 6, 6]);
      return b.node('BatchNormalization', [conv, ...c.norm(3)]);
    },
  ],
  [
    'fuse-batch-norm',
    'a bias per row',
    (b, c) => {
      const layer = b.node('Gemm', [b.input('x', 'float32', [3, 4]), c.floats([4, 3]), c.floats([3, 1])]);
      return b.node('BatchNormalization', [layer, ...c.norm(3)]);
    },
  ],
  [
    'unfuse-qlinear-softmax',
    'all axes behind one',
    (b, c) => foreign(b, 'QLinearSoftmax', [...c.operand(codes(b)), ...c.grid(0.1, 90)], { axis: 1, opset: 12 }),
  ],
  [
    'unfuse-qlinear-conv',
    'scales with two axes',
    (b, c) => {
      const w = [
        b.initializer(tensorFrom('int8', [2, 2, 1, 1], [1, 2, 3, 4]), 'w'),
        c.floats([2, 1]),
        c.bytes('int8', 0),
      ];
      return b.node('QLinearConv', [...c.operand(codes(b)), ...w, ...c.grid(0.125, 90)]);
    },
  ],
  ...[
    ...['QLinearConv', 'QLinearMatMul'].map((op) => [op, 0, ''] as const),
    ...['Add', 'Mul', 'Sigmoid', 'LeakyRelu', 'Softmax'].map((op) => [`QLinear${op}`, 0, 'com.microsoft'] as const),
    ['QGemm', 0, 'com.microsoft'] as const,
    ['QLinearConcat', 2, 'com.microsoft'] as const,
  ].map(
    ([op, before, domain]) =>
      [
        ruleOf(op),
        'fewer zero points than scales',
        (b: GraphBuilder, c: Constants) => {
          const uneven = [b.input('x', 'uint8', [3, 3]), c.floats([3]), c.bytes('uint8', 1, 2)];
          const even = [c.scalar(0.5), c.bytes('uint8', 7)];
          const second = [b.input('y', 'uint8', [3, 3]), ...even];
          const inputs = [...(before ? even : []), ...uneven, ...(/Add|Mul|Conv|Gemm/.test(op) ? second : []), ...even];
          return b.node(op, inputs, { axis: 0, kernel_shape: [1, 1], opset: 13 }, { domain });
        },
      ] as const,
  ),
  [
    'unfuse-qlinear-concat',
    'a scale that is computed',
    (b, c) =>
      foreign(b, 'QLinearConcat', [...c.grid(0.1, 90), codes(b), b.input('s', 'float32', []), c.bytes('uint8', 1)], {
        axis: 1,
      }),
  ],
  ['scalar-scales', 'scalars', (b, c) => b.node('DequantizeLinear', c.operand(codes(b)))],
  [
    'scalar-scales',
    'a scale per channel',
    (b, c) => b.node('DequantizeLinear', [codes(b), c.floats([2])], { axis: 1 }),
  ],
];

function row2(b: GraphBuilder): string {
  return b.input('y', 'float32', ['N', 4]);
}
