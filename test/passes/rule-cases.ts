import type { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { tensorFrom } from '../../lib/ir/tensor';
import { passCase, weights } from './pass-case';

type Build = (b: GraphBuilder, c: Constants) => string | readonly string[];

/** Short names for constants. */
class Constants {
  private readonly b: GraphBuilder;

  constructor(b: GraphBuilder) {
    this.b = b;
  }

  scalar(value: number): string {
    return this.b.initializer(tensorFrom('float32', [], [value]), 'scalar');
  }

  ints(...values: number[]): string {
    return this.b.initializer(tensorFrom('int64', [values.length], values), 'ints');
  }

  bytes(type: 'uint8' | 'int8', ...values: number[]): string {
    return this.b.initializer(tensorFrom(type, values.length === 1 ? [] : [values.length], values), 'bytes');
  }

  floats(dims: readonly number[], seed = 1): string {
    return this.b.initializer(weights(dims, seed), 'floats');
  }

  /** Scale and zero point of a grid. */
  grid(scale: number, zero: number): [string, string] {
    return [this.scalar(scale), this.bytes('uint8', zero)];
  }

  /** A QuantizeLinear/DequantizeLinear pair. */
  pair(value: string, scale: number, zero: number): string {
    const quantized = this.b.node('QuantizeLinear', [value, ...this.grid(scale, zero)]);
    return this.b.node('DequantizeLinear', [quantized, ...this.grid(scale, zero)]);
  }

  /** Inputs 1 to 4 of a BatchNormalization. */
  norm(channels: number): string[] {
    const [scale, offset, mean] = [3, 4, 5].map((seed) => this.floats([channels], seed));
    const variance = Array.from({ length: channels }, (_, channel) => (channel + 1) / 4);
    return [scale, offset, mean, this.b.initializer(tensorFrom('float32', [channels], variance), 'variance')];
  }

  /** A convolution of an image `x` with two channels to three. */
  conv(x: string, bias?: string): string {
    return this.b.node('Conv', [x, this.floats([3, 2, 1, 1]), ...(bias ? [bias] : [])]);
  }

  /** Operands of an integer operator: value, scale, zero point. */
  operand(value: string, scale = 2 ** -4, zero = 100): string[] {
    return [value, ...this.grid(scale, zero)];
  }
}

/** The graph of a case, shapes inferred. */
export function ruleGraph(build: Build): Graph {
  return passCase('rule', (b) => build(b, new Constants(b))).graph;
}

const row = (b: GraphBuilder) => b.input('x', 'float32', ['N', 4]);
const image = (b: GraphBuilder) => b.input('x', 'float32', ['N', 2, 6, 6]);
const codes = (b: GraphBuilder, name = 'x') => b.input(name, 'uint8', ['N', 2, 4, 4]);
/** Behind another node, so that the rule's nodes are inner ones. */
const relu = (b: GraphBuilder, value: string) => b.node('Relu', [value]);

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
      ['global-average-pool', 'GlobalAveragePool', { channels_last: 0 }],
      ['average-pool', 'AveragePool', { kernel_shape: [2, 2], channels_last: 0 }],
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

/** Name of the rule that takes an integer operator apart. */
function ruleOf(op: string): string {
  return `unfuse-${op.replace(/([a-z])([A-Z])/g, '$1-$2').toLowerCase()}`;
}

function foreign(
  b: GraphBuilder,
  op: string,
  inputs: readonly string[],
  attributes: Parameters<GraphBuilder['node']>[2] = {},
): string {
  return b.node(op, inputs, attributes, { domain: 'com.microsoft' });
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
    'unfuse-qlinear-average-pool',
    'channels last',
    (b, c) =>
      foreign(b, 'QLinearAveragePool', [...c.operand(codes(b)), ...c.grid(0.1, 90)], {
        kernel_shape: [2, 2],
        channels_last: 1,
      }),
  ],
  [
    'unfuse-qlinear-global-average-pool',
    'channels last',
    (b, c) =>
      foreign(b, 'QLinearGlobalAveragePool', [...c.operand(codes(b)), ...c.grid(0.1, 90)], { channels_last: 1 }),
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
    ...['Add', 'Mul', 'Sigmoid', 'LeakyRelu', 'GlobalAveragePool', 'AveragePool', 'Softmax'].map(
      (op) => [`QLinear${op}`, 0, 'com.microsoft'] as const,
    ),
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

/** Pads that no window can take over. */
function padsThatStay(): (typeof NEVER)[number][] {
  const AROUND = [0, 0, 1, 1, 0, 0, 1, 1];
  type Window = Parameters<GraphBuilder['node']>[2];
  const conv =
    (pads: readonly number[], window: Window = {}, mode?: string, fill?: number): Build =>
    (b, c) => {
      const inputs = [image(b), c.ints(...pads), ...(fill === undefined ? [] : [c.scalar(fill)])];
      const padded = b.node('Pad', inputs, mode ? { mode } : {});
      return b.node('Conv', [padded, c.floats([3, 2, 1, 1])], window);
    };
  const pool =
    (op: string, window: Window, fill: number, pads: readonly number[] = AROUND): Build =>
    (b, c) =>
      b.node(op, [b.node('Pad', [image(b), c.ints(...pads), c.scalar(fill)])], { kernel_shape: [2, 2], ...window });
  const quantized =
    (op: string, fill: number): Build =>
    (b, c) => {
      const padded = b.node('Pad', [image(b), c.ints(...AROUND), c.scalar(fill)]);
      const value = c.pair(padded, 2 ** -4, 100);
      return op === 'Conv' ? c.conv(value) : b.node(op, [value], { kernel_shape: [2, 2] });
    };
  const LOW = Number.NEGATIVE_INFINITY;
  return [
    [
      'pad-into-conv',
      'an axis of channels',
      (b, c) => b.node('Conv', [b.node('Pad', [image(b), c.ints(0, 1, 1, 1, 0, 0, 1, 1)]), c.floats([3, 3, 1, 1])]),
    ],
    ['pad-into-conv', 'an axis of samples', conv([0, 0, 1, 1, 1, 0, 1, 1])],
    ['pad-into-conv', 'a crop', conv([0, 0, 1, 1, 0, 0, -1, 1])],
    ['pad-into-conv', 'a mirror image', conv(AROUND, {}, 'reflect')],
    ['pad-into-conv', 'edges', conv(AROUND, {}, 'edge')],
    ['pad-into-conv', 'ones', conv(AROUND, {}, 'constant', 1)],
    ['pad-into-conv', 'NaN', conv(AROUND, {}, 'constant', Number.NaN)],
    ['pad-into-conv', 'padding that follows the extent', conv(AROUND, { auto_pad: 'SAME_UPPER', strides: [2, 2] })],
    ['pad-into-conv', 'a value of another code than the zero point', quantized('Conv', 0.05)],
    [
      'pad-into-conv',
      'codes that are not the zero point',
      (b, c) => {
        const padded = b.node('Pad', [codes(b), c.ints(...AROUND), c.bytes('uint8', 99)]);
        return c.conv(b.node('DequantizeLinear', c.operand(padded)));
      },
    ],
    [
      'pad-into-conv',
      'a grid per channel',
      (b, c) => {
        const padded = b.node('Pad', [codes(b), c.ints(...AROUND)]);
        return c.conv(b.node('DequantizeLinear', [padded, c.floats([2]), c.bytes('uint8', 0, 100)], { axis: 1 }));
      },
    ],
    [
      'pad-into-conv',
      'pads that do not fit the axes',
      (b, c) => {
        const padded = b.node('Pad', [image(b), c.ints(1, 1), '', c.ints(2, 3)]);
        b.declare(padded, 'float32', ['N', 2, 7, 7]);
        return c.conv(padded);
      },
    ],
    [
      'pad-into-conv',
      'as its weights',
      (b, c) => {
        const padded = b.node('Pad', [b.input('w', 'float32', [3, 2, 1, 1]), c.ints(...AROUND)]);
        return b.node('Conv', [image(b), padded]);
      },
    ],
    ['pad-into-max-pool', 'a crop', pool('MaxPool', {}, LOW, [0, 0, 1, 1, 0, 0, -1, 1])],
    ['pad-into-average-pool', 'a crop', pool('AveragePool', {}, 0, [0, 0, 1, 1, 0, 0, -1, 1])],
    ['pad-into-max-pool', 'zeros', pool('MaxPool', {}, 0)],
    ['pad-into-max-pool', 'a code above the lowest', quantized('MaxPool', -6)],
    [
      'pad-into-max-pool',
      'zeros in front of signed codes',
      (b, c) =>
        b.node('MaxPool', [b.node('Pad', [b.input('x', 'int8', ['N', 2, 4, 4]), c.ints(...AROUND)])], {
          kernel_shape: [2, 2],
        }),
    ],
    [
      'pad-into-max-pool',
      'a negative scale',
      (b, c) => {
        const padded = b.node('Pad', [codes(b), c.ints(...AROUND)]);
        return b.node('MaxPool', [b.node('DequantizeLinear', c.operand(padded, -0.5, 0))], { kernel_shape: [2, 2] });
      },
    ],
    [
      'pad-into-max-pool',
      'indices',
      (b, c) =>
        b.nodes('MaxPool', [b.node('Pad', [image(b), c.ints(...AROUND), c.scalar(LOW)])], 2, { kernel_shape: [2, 2] }),
    ],
    ['pad-into-max-pool', 'windows of padding alone', pool('MaxPool', {}, LOW, [0, 0, 2, 1, 0, 0, 1, 1])],
    ['pad-into-max-pool', 'windows of padding alone by both', pool('MaxPool', { pads: [1, 0, 0, 0] }, LOW)],
    ['pad-into-max-pool', 'holes', pool('MaxPool', { dilations: [1, 2] }, LOW)],
    ['pad-into-max-pool', 'windows up to the end', pool('MaxPool', { ceil_mode: 1, strides: [2, 2] }, LOW)],
    [
      'pad-into-average-pool',
      'padding of its own that does not count',
      pool('AveragePool', { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }, 0),
    ],
    ['pad-into-average-pool', 'ones', pool('AveragePool', {}, 1)],
    ['pad-into-average-pool', 'windows up to the end', pool('AveragePool', { ceil_mode: 1, strides: [2, 2] }, 0)],
    ['pad-into-average-pool', 'windows of padding alone', pool('AveragePool', {}, 0, [0, 0, 2, 1, 0, 0, 1, 1])],
    ['pad-into-average-pool', 'holes', pool('AveragePool', { dilations: [1, 2] }, 0)],
    ['pad-into-average-pool', 'a code that is not the zero point', quantized('AveragePool', 1)],
  ];
}
