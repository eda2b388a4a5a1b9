import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { print } from '../../lib/ir/print';
import { tensorFrom } from '../../lib/ir/tensor';
import { verify } from '../../lib/ir/verify';
import { canonicalise } from '../../lib/passes/canonicalise';
import { foldConstants } from '../../lib/passes/fold-constants';
import { fuseBatchNorm } from '../../lib/passes/fuse-batch-norm';
import { inferShapes } from '../../lib/passes/infer-shapes';
import { mergeDuplicates } from '../../lib/passes/merge-duplicates';
import { unfuseQlinear } from '../../lib/passes/unfuse-qlinear';
import { checkGoldenText } from './golden';
import { expectSameValues, type PassCase, passCase, weights } from './pass-case';

const scalar = (value: number) => tensorFrom('float32', [], [value]);
const ints = (...values: number[]) => tensorFrom('int64', [values.length], values);

const FOLD: readonly PassCase[] = [
  passCase('constant-chain', (b) => {
    const x = b.input('x', 'float32', ['N', 4]);
    const two = b.node('Constant', [], { value: { kind: 'tensor', value: scalar(2) } }, { outputs: ['two'] });
    return b.node('Mul', [x, b.node('Exp', [b.node('Neg', [two])])]);
  }),
  passCase('shape-of-known-extents', (b) => {
    const x = b.input('x', 'float32', [1, 4, 6]);
    const shape = b.node('Shape', [x]);
    const last = b.node('Gather', [shape, b.initializer(tensorFrom('int64', [], [2]), 'at')], { axis: 0 });
    const target = b.node(
      'Concat',
      [b.node('Unsqueeze', [last, b.initializer(ints(0), 'axes')]), b.initializer(ints(-1), 'rest')],
      { axis: 0 },
    );
    return b.node('Reshape', [x, target]);
  }),
  passCase('reshape-with-one-symbol', (b) => {
    const x = b.input('x', 'float32', ['N', 4, 6]);
    const batch = b.node('Slice', [
      b.node('Shape', [x]),
      b.initializer(ints(0), 'zero'),
      b.initializer(ints(1), 'one'),
    ]);
    const target = b.node('Concat', [batch, b.initializer(ints(24), 'all')], { axis: 0 });
    return b.node('Reshape', [x, target]);
  }),
  passCase('arithmetic-on-symbols', (b) => {
    const x = b.input('x', 'float32', ['N', 2, 6]);
    const shape = b.node('Shape', [x]);
    const [n, h] = [0, 1].map((at) => b.node('Gather', [shape, b.initializer(ints(at), `at${at}`)]));
    const target = b.node('Concat', [b.node('Mul', [n, h]), b.initializer(ints(6), 'six')], { axis: 0 });
    return b.node('Reshape', [x, target]);
  }),
  passCase('quantized-constants-stay', (b) => {
    const x = b.input('x', 'float32', [1, 2]);
    const w = b.initializer(tensorFrom('int8', [2, 2], [1, 2, 3, 4]), 'w');
    return b.node('MatMul', [x, b.node('DequantizeLinear', [w, b.initializer(scalar(0.5), 'scale')])]);
  }),
  passCase('known-output-that-others-read', (b) => {
    const shape = b.node('Shape', [b.input('x', 'float32', [1, 4, 6])]);
    b.output(shape, 'int64', [3]);
    return b.node('ConstantOfShape', [shape]);
  }),
  passCase('constant-output-keeps-its-maker', (b) => b.node('Neg', [b.initializer(weights([2]), 'c')])),
];

const FUSE: readonly PassCase[] = (['Conv', 'Gemm'] as const).flatMap((op) =>
  [true, false].map((bias) =>
    passCase(`${op.toLowerCase()}-${bias ? 'with' : 'without'}-bias`, (b) => {
      const isConv = op === 'Conv';
      const x = b.input('x', 'float32', isConv ? ['N', 2, 3, 3] : ['N', 2]);
      const w = b.initializer(weights(isConv ? [3, 2, 1, 1] : [2, 3]), 'w');
      const y = b.node(op, bias ? [x, w, b.initializer(weights([3], 2), 'b')] : [x, w]);
      const [scale, offset, mean] = [3, 4, 5].map((seed) => b.initializer(weights([3], seed), `p${seed}`));
      const variance = b.initializer(tensorFrom('float32', [3], [0.25, 1, 4]), 'variance');
      return b.node('Relu', [b.node('BatchNormalization', [y, scale, offset, mean, variance])]);
    }),
  ),
);

const CANONICAL: readonly PassCase[] = [
  passCase('no-ops', (b) => {
    const x = b.input('x', 'float32', ['N', 4]);
    const same = b.node('Reshape', [b.node('Identity', [x]), b.initializer(ints(0, 4), 'target')]);
    const kept = b.node('Transpose', [b.node('Dropout', [same])], { perm: [0, 1] });
    const cut = b.node('Slice', [
      kept,
      b.initializer(ints(0), 'from'),
      b.initializer(ints(9), 'to'),
      b.initializer(ints(1), 'axis'),
    ]);
    return b.node('Relu', [b.node('Pad', [b.node('Cast', [cut], { to: 1 }), b.initializer(ints(0, 0, 0, 0), 'pads')])]);
  }),
  passCase('no-op-output-keeps-its-name', (b) => {
    const x = b.input('x', 'float32', ['N', 4]);
    return [
      b.node('Identity', [b.node('Relu', [x])], {}, { outputs: ['y'] }),
      b.node('Identity', [x], {}, { outputs: ['z'] }),
    ];
  }),
  passCase('backward-slice-is-no-no-op', (b) => {
    const x = b.input('x', 'float32', [4]);
    const [from, to, step] = [-1, -9, -1].map((value, i) => b.initializer(ints(value), `c${i}`));
    return b.node('Slice', [x, from, to, b.initializer(ints(0), 'axis'), step]);
  }),
  passCase('transposes', (b) => {
    const x = b.input('x', 'float32', ['N', 2, 3]);
    const once = b.node('Transpose', [x], { perm: [0, 2, 1] });
    return [
      b.node('Relu', [b.node('Transpose', [once], { perm: [0, 2, 1] })]),
      b.node('Transpose', [once], { perm: [1, 0, 2] }),
    ];
  }),
  passCase('reshapes', (b) => {
    const x = b.input('x', 'float32', [2, 3, 4]);
    const flat = b.node('Unsqueeze', [b.node('Flatten', [x]), b.initializer(ints(0), 'axes')]);
    return b.node('Reshape', [flat, b.initializer(ints(4, -1), 'target')]);
  }),
  passCase('reshape-to-flatten', (b) => {
    const x = b.input('x', 'float32', ['N', 3, 4]);
    return b.node('Reshape', [x, b.initializer(ints(0, -1), 'target')]);
  }),
  passCase('conv-plus-constant', (b) => {
    const x = b.input('x', 'float32', ['N', 2, 3, 3]);
    const conv = b.node('Conv', [x, b.initializer(weights([3, 2, 1, 1]), 'w'), b.initializer(weights([3], 2), 'b')]);
    return b.node('Add', [b.initializer(weights([1, 3, 1, 1], 3), 'c'), conv]);
  }),
  passCase('conv-plus-plane-stays', (b) => {
    const x = b.input('x', 'float32', ['N', 2, 3, 3]);
    const conv = b.node('Conv', [x, b.initializer(weights([3, 2, 1, 1]), 'w')]);
    return b.node('Add', [conv, b.initializer(weights([3, 3], 3), 'c')]);
  }),
  passCase('conv-read-twice-stays', (b) => {
    const x = b.input('x', 'float32', ['N', 2, 3, 3]);
    const conv = b.node('Conv', [x, b.initializer(weights([3, 2, 1, 1]), 'w')]);
    return [b.node('Add', [conv, b.initializer(weights([3, 1, 1], 3), 'c')]), b.node('Relu', [conv])];
  }),
  passCase('matmul-plus-constant', (b) => {
    const x = b.input('x', 'float32', ['N', 4]);
    const product = b.node('MatMul', [x, b.initializer(weights([4, 3]), 'w')]);
    return b.node('Add', [
      b.node('Add', [product, b.initializer(weights([3], 2), 'b')]),
      b.initializer(scalar(0.5), 'c'),
    ]);
  }),
  passCase('matmul-of-rank-3-stays', (b) => {
    const x = b.input('x', 'float32', ['N', 5, 4]);
    return b.node('Add', [
      b.node('MatMul', [x, b.initializer(weights([4, 3]), 'w')]),
      b.initializer(weights([3], 2), 'b'),
    ]);
  }),
  passCase('clamps', (b) => {
    const x = b.input('x', 'float32', ['N', 4]);
    const [zero, six] = [0, 6].map((value) => b.initializer(scalar(value), `c${value}`));
    const relu6 = b.node('Min', [b.node('Max', [x, zero]), six]);
    return [
      relu6,
      b.node('Clip', [b.node('Neg', [x]), zero]),
      b.node('Clip', [b.node('Relu', [b.node('Exp', [x])]), '', six]),
    ];
  }),
  passCase('clamp-behind-max-pool', (b) => {
    const x = b.input('x', 'float32', ['N', 2, 6, 6]);
    const conv = () => b.node('Conv', [x, b.initializer(weights([3, 2, 3, 3]), 'w')]);
    const pool = (value: string, more = {}) => b.node('MaxPool', [value], { kernel_shape: [2, 2], ...more });
    const shared = conv();
    return [
      b.node('Relu', [pool(conv(), { strides: [2, 2], pads: [1, 1, 0, 0] })]),
      b.node('Clip', [pool(conv()), b.initializer(scalar(-0.5), 'low'), b.initializer(scalar(0.5), 'high')]),
      // Stays: nothing could compute the clamp on the way, another reader, padding alone in a window.
      b.node('Relu', [pool(x)]),
      b.node('Add', [b.node('Relu', [pool(shared)]), pool(shared)]),
      b.node('Relu', [pool(conv(), { dilations: [2, 2], pads: [1, 1, 1, 1] })]),
    ];
  }),
  passCase('subtraction-and-division', (b) => {
    const x = b.input('x', 'float32', ['N', 3]);
    const half = b.node('Div', [
      b.node('Sub', [x, b.initializer(weights([3]), 'c')]),
      b.initializer(scalar(4), 'four'),
    ]);
    return b.node('Div', [half, b.initializer(scalar(3), 'three')]);
  }),
  passCase('means', (b) => {
    const x = b.input('x', 'float32', ['N', 2, 3, 3]);
    const axes = b.initializer(ints(-1, 2), 'axes');
    return [
      b.node('ReduceMean', [x, axes]),
      b.node('ReduceMean', [x, axes], { keepdims: 0 }),
      b.node('ReduceMean', [x, b.initializer(ints(1), 'channel')]),
    ];
  }),
];

const DUPLICATES: readonly PassCase[] = [
  passCase('twins', (b) => {
    const x = b.input('x', 'float32', ['N', 4]);
    const [a, c] = [b.node('Exp', [x]), b.node('Exp', [x])];
    return b.node('Add', [
      b.node('LeakyRelu', [a], { alpha: { kind: 'float', value: 0.5 } }),
      b.node('LeakyRelu', [c], { alpha: { kind: 'float', value: 0.5 } }),
    ]);
  }),
  passCase('equal-axes', (b) => {
    const x = b.input('x', 'float32', [1, 1, 4]);
    const [first, second] = ['p', 'q'].map((name) => b.initializer(ints(0), name));
    const [one, other] = ['f', 'g'].map((name) => b.initializer(scalar(0), name));
    const [a, c] = [first, second].map((axes) => b.node('Squeeze', [x, axes]));
    return b.node('Mul', [b.node('Add', [a, one]), b.node('Add', [c, other])]);
  }),
  passCase('different-attributes', (b) => {
    const x = b.input('x', 'float32', [3, 4]);
    return b.node('Concat', [b.node('Softmax', [x], { axis: 0 }), b.node('Softmax', [x], { axis: 1 })], { axis: 0 });
  }),
];

const QLINEAR: readonly PassCase[] = [true, false].map((perFilter) =>
  passCase(`conv-${perFilter ? 'per-filter' : 'one-scale'}`, (b) => {
    const x = b.input('x', 'uint8', ['N', 2, 4, 4]);
    const w = b.initializer(tensorFrom('int8', [2, 2, 1, 1], [100, -50, 25, 127]), 'w');
    const wScale = b.initializer(
      tensorFrom('float32', perFilter ? [2] : [1], perFilter ? [0.01, 0.02] : [0.01]),
      'w_scale',
    );
    const wZero = b.initializer(tensorFrom('int8', perFilter ? [2] : [1], perFilter ? [0, 0] : [0]), 'w_zero');
    const [xScale, yScale] = [0.03125, 0.125].map((value, i) => b.initializer(scalar(value), `scale${i}`));
    const [xZero, yZero] = [128, 100].map((value, i) => b.initializer(tensorFrom('uint8', [], [value]), `zero${i}`));
    const bias = b.initializer(tensorFrom('int32', [2], [300, -700]), 'bias');
    return b.node('QLinearConv', [x, xScale, xZero, w, wScale, wZero, yScale, yZero, bias], { strides: [2, 2] });
  }),
);
const QMATMUL = passCase('matmul', (b) => {
  const x = b.input('x', 'uint8', ['N', 4]);
  const w = b.initializer(tensorFrom('int8', [4, 2], [1, -2, 30, -40, 50, 60, -70, 80]), 'w');
  const [xScale, wScale, yScale] = [0.03125, 0.01, 0.125].map((value, i) => b.initializer(scalar(value), `scale${i}`));
  const [xZero, yZero] = [128, 100].map((value, i) => b.initializer(tensorFrom('uint8', [], [value]), `zero${i}`));
  const wZero = b.initializer(tensorFrom('int8', [], [0]), 'w_zero');
  return b.node('QLinearMatMul', [x, xScale, xZero, w, wScale, wZero, yScale, yZero]);
});

const SUITES: readonly [string, (graph: Graph) => Graph, readonly PassCase[]][] = [
  ['fold-constants', foldConstants, FOLD],
  ['fuse-batch-norm', fuseBatchNorm, FUSE],
  ['canonicalise', canonicalise, CANONICAL],
  ['merge-duplicates', mergeDuplicates, DUPLICATES],
  ['unfuse-qlinear', unfuseQlinear, [...QLINEAR, QMATMUL]],
];

describe.each(SUITES)('%s', (folder, pass, cases) => {
  test.each(cases.map((item) => [item.name, item.graph] as const))('%s', (name, graph) => {
    const rewritten = pass(graph);
    const result = inferShapes(rewritten);
    expect(result.diagnostics).toEqual([]);
    expect(verify(result.graph)).toEqual([]);
    checkGoldenText(`${folder}/${name}`, `${print(graph)}\nbecomes\n\n${print(result.graph)}`);
    // The same inputs and outputs, the same numbers, and nothing left to do.
    expect(result.graph.inputs).toEqual(graph.inputs);
    expect(result.graph.outputs).toEqual(graph.outputs);
    expectSameValues(graph, result.graph);
    expect(pass(result.graph)).toBe(result.graph);
  });
});

test.each([
  ['infinite', 'Div', 0],
  ['a fraction', 'Div', 4],
  ['beyond 2^53', 'Mul', 1e30],
])('an extent that arithmetic makes %s is no constant of whole numbers', (_, op, operand) => {
  const b = new GraphBuilder();
  const numbers = b.node('Cast', [b.node('Shape', [b.input('x', 'float32', ['N', 6])])], { to: 1 });
  const sixth = b.node('Gather', [numbers, b.initializer(ints(1))], { axis: 0 });
  const wrong = b.node(op, [sixth, b.initializer(tensorFrom('float32', [1], [operand]))]);
  b.output(b.node('Cast', [wrong], { to: 7 }, { outputs: ['y'] }));
  const { nodes } = foldConstants(inferShapes(b.build()).graph);
  expect(nodes.map((node) => node.op)).toContain('Cast');
});
