import { FAMILIES } from '../../lib/compile/families/table';
import type { Kernel } from '../../lib/compile/layer';
import { lowerGraph } from '../../lib/compile/lower-graph';
import { placeNodes } from '../../lib/compile/place-nodes';
import type { GraphBuilder } from '../../lib/ir/builder';
import { tensorFrom } from '../../lib/ir/tensor';
import { inferShapes } from '../../lib/passes/infer-shapes';
import { PLAN_OP_NAMES } from '../../lib/plan/plan-ops';
import { float, uniform } from '../ops/op-case';
import { REDUCTIONS } from './call-of';
import { type Sketch, sketch } from './small-graphs';

type Draw = (b: GraphBuilder, s: Sketch) => string;
const draw = (what: Draw) => inferShapes(sketch((b, s) => [what(b, s)])).graph;

const image = (b: GraphBuilder) => b.input('x', 'float32', [1, 4, 6, 6]);
const rows = (b: GraphBuilder) => b.input('x', 'float32', [2, 4]);
const whole = (b: GraphBuilder) => b.input('n', 'int64', [3]);
const BOOL = 9;
const WINDOW = { kernel_shape: [2, 2] };
const depthwise: Draw = (b, s) => b.node('Conv', [s.pair(image(b)), s.weights([4, 1, 3, 3])], { group: 4 });

/** Graphs whose steps show every operation of a family, in each of its forms. */
const SHOWN: Readonly<Record<Kernel, readonly Draw[]>> = {
  conv: [
    (b, s) => s.pair(s.conv(s.pair(image(b)), 4, 4)),
    (b, s) => s.conv(image(b), 4, 4),
    (b, s) => s.pair(depthwise(b, s)),
    depthwise,
  ],
  'conv-transpose': [
    (b, s) => s.pair(b.node('ConvTranspose', [s.pair(image(b)), s.weights([4, 3, 3, 3], 1)], { strides: [2, 2] })),
    (b, s) => b.node('ConvTranspose', [image(b), s.weights([4, 3, 3, 3], 1)], { strides: [2, 2] }),
    (b, s) => s.pair(b.node('ConvTranspose', [s.pair(image(b)), s.weights([4, 1, 3, 3], 1)], { group: 4 })),
    (b, s) => b.node('ConvTranspose', [image(b), s.weights([4, 1, 3, 3], 1)], { group: 4 }),
  ],
  'fully-connected': [
    (b, s) => s.pair(b.node('MatMul', [s.pair(rows(b)), s.weights([4, 3], 1)])),
    (b, s) => b.node('MatMul', [rows(b), s.weights([4, 3], 1)]),
  ],
  recurrent: [
    (b) => {
      const parameters = [
        [1, 3, 4],
        [1, 3, 3],
      ].map((dims) => b.initializer(uniform(dims)));
      return b.node('RNN', [b.input('x', 'float32', [5, 1, 4]), ...parameters], { hidden_size: 3 });
    },
  ],
  matmul: [
    (b, s) => s.pair(b.node('MatMul', [s.pair(rows(b)), s.pair(b.input('z', 'float32', [4, 3]))])),
    (b) => b.node('MatMul', [rows(b), b.input('z', 'float32', [4, 3])]),
  ],
  binary: [
    (b, s) => s.pair(b.node('Add', [s.pair(rows(b)), s.pair('x')])),
    (b, s) => b.node('Add', [rows(b), s.scalar(2)]),
    (b) => b.node('Add', [whole(b), 'n']),
  ],
  integer: [(b) => b.node('Mod', [whole(b), 'n'])],
  compare: [
    (b) => b.node('Less', [rows(b), 'x']),
    (b) => b.node('Not', [b.input('t', 'bool', [4])]),
    (b) => b.node('IsInf', [rows(b)]),
  ],
  limit: [
    (b) => b.node('Clip', [rows(b), b.input('low', 'float32', [])]),
    (b) => b.node('Clip', [whole(b), '', b.input('high', 'int64', [])]),
  ],
  extents: [(b) => b.node('Shape', [rows(b)])],
  cast: [(b) => b.node('Cast', [rows(b)], { to: 7 })],
  where: [(b, s) => b.node('Where', [b.input('t', 'bool', [4]), rows(b), s.scalar(0)])],
  gather: [(b) => b.node('Gather', [rows(b), whole(b)])],
  'gather-elements': [(b) => b.node('GatherElements', [rows(b), b.input('n', 'int64', [1, 4])])],
  'gather-nd': [(b) => b.node('GatherND', [rows(b), b.input('n', 'int64', [3, 1])])],
  'scatter-elements': [
    (b) => b.node('ScatterElements', [rows(b), b.input('n', 'int64', [1, 4]), b.input('u', 'float32', [1, 4])]),
  ],
  'scatter-nd': [(b) => b.node('ScatterND', [rows(b), b.input('n', 'int64', [3, 1]), b.input('u', 'float32', [3, 4])])],
  'one-hot': [(b, s) => b.node('OneHot', [whole(b), s.ints(5), b.initializer(tensorFrom('float32', [2], [0, 1]))])],
  split: [
    (b) => {
      const [left] = b.nodes('Split', [b.node('Transpose', [rows(b)])], 2, { axis: 0, num_outputs: 2 });
      return b.node('Reshape', [left, b.initializer(tensorFrom('int64', [1], [4]))]);
    },
  ],
  'max-pool': [(b, s) => b.node('MaxPool', [s.pair(image(b))], WINDOW), (b) => b.node('MaxPool', [image(b)], WINDOW)],
  'lp-pool': [(b) => b.node('LpPool', [image(b)], WINDOW)],
  'average-pool': [
    (b, s) => s.pair(b.node('AveragePool', [s.pair(image(b))], WINDOW)),
    (b) => b.node('AveragePool', [image(b)], WINDOW),
  ],
  unary: [
    (b, s) => s.pair(b.node('Sigmoid', [s.pair(rows(b))])),
    (b) => b.node('Relu', [rows(b)]),
    (b) => b.node('Exp', [rows(b)]),
    (b) => b.node('Neg', [whole(b)]),
  ],
  fourier: [(b, s) => b.node('STFT', [rows(b), s.ints(1), '', s.ints(2)])],
  softmax: [(b) => b.node('Softmax', [rows(b)])],
  reduce: REDUCTIONS.flatMap((op): readonly Draw[] => [
    (b, s) => b.node(op, [s.pair(rows(b)), s.ints(0)]),
    (b, s) => b.node(op, [rows(b), s.ints(1)]),
    (b) => b.node(op, [b.node('Cast', [rows(b)], { to: BOOL })]),
  ]),
  accumulate: [
    (b, s) => s.pair(b.node('ReduceMean', [s.pair(rows(b)), s.ints(0)])),
    (b, s) => b.node('ReduceL2', [rows(b), s.ints(1)]),
    (b) => b.node('ReduceSum', [whole(b)]),
  ],
  normalize: [(b, s) => b.nodes('LayerNormalization', [rows(b), s.floats(1, 2, 3, 4)], 3)[2]],
  'batch-norm': [
    (b, s) => b.node('BatchNormalization', [image(b), ...Array<string>(4).fill(s.floats(1, 2, 3, 4))]),
    (b) => b.node('BatchNormalization', [image(b), ...Array<string>(4).fill(b.input('c', 'float32', [4]))]),
  ],
  relative: [(b) => b.node('LogSoftmax', [rows(b)])],
  'local-response': [(b) => b.node('LRN', [image(b)], { size: 3 })],
  'arg-extreme': [(b) => b.node('ArgMax', [rows(b)])],
  hardmax: [(b) => b.node('Hardmax', [rows(b)])],
  'cumulative-sum': [(b, s) => b.node('CumSum', [rows(b), s.ints(1)])],
  'top-k': [(b, s) => b.node('TopK', [rows(b), s.ints(2)])],
  require: [(b) => b.node('Require', [rows(b), b.input('c', 'bool', [])], { value: 1 }, { domain: 'ai.hone' })],
  'non-zero': [(b) => b.node('NonZero', [rows(b)])],
  compress: [(b, s) => b.node('Compress', [rows(b), s.truths(1, 0, 1)])],
  'non-max-suppression': [
    (b, s) =>
      b.node('NonMaxSuppression', [b.input('x', 'float32', [1, 6, 4]), b.input('z', 'float32', [1, 2, 6]), s.ints(3)]),
  ],
  concat: [(b) => b.node('Concat', [rows(b), 'x'], { axis: 1 })],
  slice: [(b, s) => b.node('Slice', [rows(b), s.ints(1), s.ints(3), s.ints(1)])],
  pad: [(b, s) => b.node('Pad', [rows(b), s.ints(1, 0, 0, 0)])],
  select: [
    (b, s) => b.node('Pad', [rows(b), s.ints(1, 0, 1, 0)], { mode: 'reflect' }),
    (b, s) => b.node('Resize', [b.input('i', 'float32', [1, 1, 13, 17]), '', '', s.ints(1, 1, 19, 11)]),
  ],
  interpolate: [
    (b, s) => b.node('Resize', [image(b), '', '', s.ints(1, 4, 9, 7)], { mode: 'linear' }),
    (b, s) => {
      const region = b.initializer(tensorFrom('float32', [8], [0, 0, -1, 0, 1, 1, 1, 1]));
      return b.node('Resize', [image(b), region, '', s.ints(1, 4, 9, 7)], {
        coordinate_transformation_mode: 'tf_crop_and_resize',
        extrapolation_value: float(2),
      });
    },
  ],
  expand: [(b, s) => b.node('Expand', [rows(b), s.ints(3, 2, 4)])],
  rearrange: [(b) => b.node('SpaceToDepth', [image(b)], { blocksize: 2 })],
  triangle: [(b) => b.node('Trilu', [rows(b)])],
  transpose: [(b) => b.node('Transpose', [rows(b)])],
  reshape: [(b, s) => b.node('Reshape', [b.node('Transpose', [image(b)], { perm: [0, 2, 3, 1] }), s.ints(2, 72)])],
  quantize: [
    (b, s) => s.quantize(s.pair(rows(b), 0.5), 0.25),
    (b, s) => b.node('QuantizeLinear', [rows(b), b.input('scale', 'float32', []), s.scalar(3, 'int8')]),
  ],
  dequantize: [
    (b, s) => b.node('Relu', [s.pair(rows(b))]),
    (b, s) =>
      b.node('DequantizeLinear', [b.input('q', 'int8', [4]), b.input('scale', 'float32', []), s.scalar(3, 'int8')]),
  ],
};

test.each(Object.keys(FAMILIES) as Kernel[])('%s emits the operations that its row names', (kernel) => {
  const steps = SHOWN[kernel].flatMap((what) => {
    const { state } = lowerGraph(draw(what));
    expect(state.diagnostics).toEqual([]);
    return state.program.steps;
  });
  expect(steps.map(({ op }) => op)).toEqual(expect.arrayContaining([...FAMILIES[kernel].ops]));
});

test('every operation of the engine is that of a family, or leaves out the side of a choice (branches.test.ts)', () => {
  const named = new Set(['skip', ...Object.values(FAMILIES).flatMap(({ ops }) => ops)]);
  expect([...named].sort()).toEqual([...PLAN_OP_NAMES].sort());
});

const dequantized = (b: GraphBuilder, s: Sketch, type: 'int8' | 'int32', scale: string) =>
  b.node('DequantizeLinear', [b.initializer(tensorFrom(type, [4, 1], [1, 2, 3, 4])), scale || s.scalar(0.5)], {
    axis: 0,
  });
const product: (weights: Draw) => Draw = (weights) => (b, s) =>
  s.pair(b.node('MatMul', [s.pair(rows(b)), weights(b, s)], {}, { name: 'it' }));
const scales = (b: GraphBuilder, ...values: number[]) => b.initializer(tensorFrom('float32', [values.length], values));

/** Networks with quantized tensors where the node `it` runs in float, and why. */
const REASONS: readonly (readonly [reason: string | undefined, draw: Draw])[] = [
  [undefined, product((b, s) => dequantized(b, s, 'int8', ''))],
  ['its weights are float', product((b) => b.initializer(tensorFrom('float32', [4, 1], [1, 2, 3, 4])))],
  [
    'its weights have scales along axis 0, its outputs lie along axis 1',
    product((b, s) => dequantized(b, s, 'int8', scales(b, 1, 2, 3, 4))),
  ],
  ['its weights are int32, int8 kernels take 4 or 8 bits', product((b, s) => dequantized(b, s, 'int32', ''))],
  ['a scale of its weights is not positive and finite', product((b, s) => dequantized(b, s, 'int8', s.scalar(-1)))],
  [
    'its weights are quantized per block, or with scales that are not constant',
    product((b) =>
      b.node(
        'DequantizeLinear',
        [
          b.initializer(tensorFrom('int8', [4, 1], [1, 2, 3, 4])),
          b.initializer(tensorFrom('float32', [2, 1], [0.5, 0.25])),
        ],
        { axis: 0, block_size: 2 },
      ),
    ),
  ],
  [
    'its alpha or beta is not 1',
    (b, s) => s.pair(b.node('Gemm', [s.pair(rows(b)), s.weights([4, 3], 1)], { alpha: float(0.5) }, { name: 'it' })),
  ],
  [
    'its alpha or beta is not 1',
    (b, s) => s.pair(b.node('Gemm', [s.pair(rows(b)), s.pair('x')], { alpha: float(0.5), transB: 1 }, { name: 'it' })),
  ],
  [
    'its third input is float',
    (b, s) => s.pair(b.node('Gemm', [s.pair(rows(b)), s.pair('x'), s.scalar(1)], { transB: 1 }, { name: 'it' })),
  ],
  [
    'it adds an operand that is computed',
    (b, s) => {
      const c = s.pair(b.input('c', 'float32', [2]));
      return s.pair(b.node('Gemm', [s.pair(rows(b)), s.pair('x'), c], { transB: 1 }, { name: 'it' }));
    },
  ],
  [
    'a sum of 140000 products can reach 3363500000, beyond int32',
    (b, s) => {
      const x = s.pair(b.input('x', 'float32', [1, 140000]));
      return s.pair(b.node('MatMul', [x, b.node('Transpose', [x])], {}, { name: 'it' }));
    },
  ],
  [
    '1.2676506002282294e+30 * 1.2676506002282294e+30 / 7.888609052210118e-31 is no positive float32',
    (b, s) => {
      const x = s.pair(rows(b), 2 ** 100);
      return s.pair(b.node('MatMul', [x, b.node('Transpose', [x])], {}, { name: 'it' }), 2 ** -100);
    },
  ],
  [
    'its first input is float',
    (b, s) => s.pair(b.node('Conv', [image(b), s.weights([2, 4, 1, 1])], {}, { name: 'it' })),
  ],
  [
    'the engine has no int8 kernel for it with 3 operands',
    (b, s) => s.pair(b.node('Sum', [s.pair(rows(b)), s.pair('x'), s.pair('x')], {}, { name: 'it' })),
  ],
  [undefined, (b, s) => s.pair(b.node('Max', [s.pair(rows(b)), s.pair('x'), s.pair('x')], {}, { name: 'it' }))],
  [
    'the engine has a float kernel for it, none for int8',
    (b, s) => s.pair(b.node('ReduceSum', [s.pair(rows(b)), s.ints(1)], {}, { name: 'it' })),
  ],
  ['its second input is float', (b, s) => s.pair(b.node('Add', [s.pair(rows(b)), 'x'], {}, { name: 'it' }))],
  ['its input is float', (b, s) => s.pair(b.node('MaxPool', [image(b)], WINDOW, { name: 'it' }))],
  [
    'its result is an output of the model in float',
    (b, s) => b.node('Mul', [s.pair(rows(b)), s.pair('x')], {}, { name: 'it' }),
  ],
  [
    'its result is not quantized',
    (b, s) => b.node('Softmax', [b.node('Mul', [s.pair(rows(b)), s.pair('x')], {}, { name: 'it' })]),
  ],
  [
    'its result is not quantized for one reader, 2 read it',
    (b, s) => {
      const sum = b.node('Mul', [s.pair(rows(b)), s.pair('x')], {}, { name: 'it' });
      return b.node('Add', [s.pair(sum), b.node('Softmax', [sum])]);
    },
  ],
  [
    'the engine has a float kernel for it, none for int8',
    (b, s) => s.pair(b.node('Softmax', [s.pair(rows(b))], {}, { name: 'it' })),
  ],
  [
    'its inputs have several scales, and its result is not quantized',
    (b, s) => b.node('Concat', [s.pair(rows(b), 0.5), s.pair('x', 0.25)], { axis: 1 }, { name: 'it' }),
  ],
  [
    'its value 0.0009765625 is none of the numbers that the int8 grid of its input has',
    (b, s) => b.node('Pad', [s.pair(rows(b)), s.ints(1, 0, 0, 0), s.scalar(2 ** -10)], {}, { name: 'it' }),
  ],
  [
    '1.2676506002282294e+30 / 7.888609052210118e-31 is no positive float32',
    (b, s) => s.pair(b.node('AveragePool', [s.pair(image(b), 2 ** 100)], WINDOW, { name: 'it' }), 2 ** -100),
  ],
];

test.each(REASONS)('in float because %s', (reason, what) => {
  const graph = draw(what);
  const { floatReasons, missing, placeOf } = placeNodes(graph);
  expect(missing).toEqual([]);
  expect(floatReasons.get('it')).toBe(reason);
  expect(placeOf(graph.nodes.find(({ name }) => name === 'it')!)).toBe(reason === undefined ? 'int8' : 'float');
});

test('a network of floats has no reasons to give', () => {
  const graph = draw((b) => b.node('Softmax', [b.node('MaxPool', [image(b)], WINDOW)]));
  expect(placeNodes(graph).floatReasons.size).toBe(0);
});
