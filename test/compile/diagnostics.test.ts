import { compile, diagnose } from '../../lib/compile/compile';
import { GraphBuilder } from '../../lib/ir/builder';
import { elementCount, tensorFrom } from '../../lib/ir/tensor';
import { inferShapes } from '../../lib/passes/infer-shapes';
import { prepare } from '../../lib/passes/pipeline';
import { PLAN_OP_NAMES, PLAN_OPS } from '../../lib/plan/plan-ops';
import { REDUCTIONS } from './call-of';
import { HASH } from './run-case';
import { type Sketch, sketch } from './small-graphs';

type Draw = (b: GraphBuilder, s: Sketch) => readonly string[];

/** Graphs that the engine cannot run, and what is said of each of them: all of it. */
const CASES: readonly (readonly [what: string, draw: Draw, expected: readonly string[]])[] = [
  [
    'every operator without a kernel at once, also behind another one',
    (b) => {
      // A loss is for training: no engine will have it.
      const loss = (scores: string, labels: readonly number[], output: string): string => {
        const places = b.initializer(tensorFrom('int64', labels, new Array(elementCount(labels)).fill(1)));
        return b.node('SoftmaxCrossEntropyLoss', [scores, places], { reduction: 'none' }, { outputs: [output] });
      };
      const first = loss(b.node('Relu', [b.input('x', 'float32', [1, 4, 4])]), [1, 4], 'e');
      return [loss(b.node('Relu', [first]), [1], 's')];
    },
    [
      'e: SoftmaxCrossEntropyLoss: the engine has no kernel for it, neither int8 nor float',
      's: SoftmaxCrossEntropyLoss: the engine has no kernel for it, neither int8 nor float',
    ],
  ],
  [
    'an unknown operator, and one behind it whose shape nobody knows',
    (b) => {
      const x = b.input('x', 'float32', [1, 4]);
      const strange = b.node('Wobble', [x], {}, { domain: 'com.example', outputs: ['w'] });
      return [b.node('Wobble', [b.node('Relu', [strange])], {}, { domain: 'com.example', outputs: ['s'] })];
    },
    [
      'w: Wobble: the engine has no kernel for it, neither int8 nor float',
      's: Wobble: the engine has no kernel for it, neither int8 nor float',
    ],
  ],
  [
    'a shape that is still open: said once, and operators without a kernel besides',
    (b) => {
      const x = b.input('x', 'float32', ['N', 3, 'H', 4]);
      const soft = b.node('Softmax', [b.node('Relu', [x])]);
      // Becomes a constant once H is a number.
      const number = (value: number) => b.initializer(tensorFrom('int64', [], [value]));
      const height = b.node('Gather', [b.node('Shape', [x]), number(2)]);
      b.output(b.node('Range', [number(0), height, number(1)]), 'int64', ['H']);
      // Are taken apart once H is a number.
      b.output(b.node('Einsum', [x, x], { equation: 'bcij,bcij->b' }));
      const body = new GraphBuilder();
      body.output(body.node('Relu', ['x']));
      const branch = { kind: 'graph', value: body.build() } as const;
      b.output(b.node('If', [b.input('side', 'bool', [])], { then_branch: branch, else_branch: branch }));
      return [b.node('Wobble', [soft], {}, { domain: 'com.example', outputs: ['s'] })];
    },
    [
      'x: graph input: its shape leaves N and H open: give numbers for them',
      's: Wobble: the engine has no kernel for it, neither int8 nor float',
    ],
  ],
  [
    'types that the engine does not have',
    (b) => [b.node('Add', [b.input('x', 'float64', [2]), 'x']), b.input('h', 'uint16', [2])],
    ['float64', 'uint16'].map(
      (type, index) =>
        `${'xh'[index]}: graph input: its type is ${type} (the engine takes float32, int8, uint8, int32, int64, bool, float16)`,
    ),
  ],
  [
    'functions of integers that only floats have a kernel for',
    (b) => [b.node('ReduceL2', [b.input('x', 'int32', [1, 4])], {}, { outputs: ['y'] })],
    ['y: ReduceL2: the engine has a float kernel for it, none for integers'],
  ],
  [
    'empty tensors',
    (b) => [b.node('Relu', [b.input('x', 'float32', [2, 0])])],
    ["x: graph input: 'x' is empty ([2,0])"],
  ],
  [
    'codes of 16 bits that leave the engine',
    (b, s) => {
      const zero = b.initializer(tensorFrom('int16', [], [0]));
      return [b.node('QuantizeLinear', [b.input('x', 'float32', [2]), s.scalar(0.5), zero], {}, { outputs: ['q'] })];
    },
    ['q: graph output: its type is int16 (the engine gives float32, int8, uint8, int32, int64, bool, float16)'],
  ],
  [
    'blocks with a scale each of which the last is short',
    (b) => {
      const scales = b.initializer(tensorFrom('float32', [1, 2], [1, 2]));
      const attributes = { axis: 1, block_size: 2 };
      return [b.node('QuantizeLinear', [b.input('x', 'float32', [1, 3]), scales], attributes, { outputs: ['q'] })];
    },
    ['q: QuantizeLinear: 3 elements in blocks of 2: the engine takes whole blocks'],
  ],
  [
    'weights that are computed',
    (b) => {
      const x = b.input('x', 'float32', [1, 2, 3, 3]);
      return [b.node('Conv', [x, b.node('Relu', [b.input('w', 'float32', [4, 2, 1, 1])])], {}, { outputs: ['y'] })];
    },
    ["y: Conv: the weights 'relu' are not constant"],
  ],
  [
    'slopes of integers',
    (b) => [b.node('PRelu', [b.input('x', 'int32', [3]), b.input('s', 'int32', [3])], {}, { outputs: ['p'] })],
    ['p: PRelu: the engine computes it on floats alone'],
  ],
  [
    'windows over four axes, and too many dimensions for the caller',
    (b) => {
      const x = b.input('x', 'float32', [1, 1, 2, 2, 2, 2]);
      const nine = b.input('n', 'float32', [1, 1, 1, 1, 1, 1, 1, 1, 2]);
      return [b.node('MaxPool', [x], { kernel_shape: [2, 2, 2, 2] }, { outputs: ['m'] }), b.node('Relu', [nine])];
    },
    [
      'n: graph input: its rank is 9 (the engine takes up to 8)',
      'm: MaxPool: expected one to three spatial axes, found 4',
      'relu: graph output: its rank is 9 (the engine gives up to 8)',
    ],
  ],
];

/** DequantizeLinear whose zero point has a type that its codes have not: onnxruntime does not open such models either. */
const FOREIGN_ZEROS = (['uint8', 'int8', 'int32'] as const).flatMap((codes) =>
  (['uint8', 'int8', 'int32'] as const).filter((zero) => zero !== codes).map((zero) => ({ codes, zero })),
);

test.each(FOREIGN_ZEROS)(
  '$codes with a zero point of $zero: refused for input, weights and behind QuantizeLinear',
  ({ codes, zero }) => {
    const reason = `DequantizeLinear: a zero point of ${zero} for elements of ${codes}`;
    const found = (draw: Draw) =>
      diagnose(inferShapes(sketch(draw)).graph).map(({ where, message }) => `${where}: ${message}`);
    const zeroOf = (b: GraphBuilder) => b.initializer(tensorFrom(zero, [], [3]));
    expect(
      found((b, s) => [
        b.node('DequantizeLinear', [b.input('x', codes, [1, 4]), s.scalar(0.5), zeroOf(b)], {}, { outputs: ['d'] }),
      ]),
    ).toContain(`d: ${reason}`);
    expect(
      found((b, s) => {
        const w = b.initializer(tensorFrom(codes, [4, 2], [1, 2, 3, 4, 5, 6, 7, 8]));
        const weights = b.node('DequantizeLinear', [w, s.scalar(0.5), zeroOf(b)], {}, { outputs: ['d'] });
        return [b.node('MatMul', [b.input('x', 'float32', [1, 4]), weights])];
      }),
    ).toEqual([`d: ${reason}`]);
    if (codes === 'int32') return;
    expect(
      found((b, s) => {
        const own = b.initializer(tensorFrom(codes, [], [3]));
        const q = b.node('QuantizeLinear', [b.input('x', 'float32', [1, 4]), s.scalar(0.5), own]);
        return [b.node('DequantizeLinear', [q, s.scalar(0.5), zeroOf(b)], {}, { outputs: ['d'] })];
      }),
    ).toEqual([`d: ${reason}`]);
  },
);

test.each(CASES)('%s', (_, draw, expected) => {
  const graph = inferShapes(sketch(draw)).graph;
  const found = diagnose(graph).map(({ where, message }) => `${where}: ${message}`);
  expect(found).toEqual(expected);
  expect(() => compile(graph, { sourceHash: HASH })).toThrow(
    expect.objectContaining({ code: 'E_OPERATOR_UNSUPPORTED' }),
  );
});

test('what stays float between integer layers is a warning', () => {
  const graph = sketch((b, s) => {
    const conv = s.pair(s.conv(s.pair(b.input('x', 'float32', [1, 4, 5, 6])), 4, 4));
    return [b.node('Mul', [s.conv(conv, 4, 2), s.scalar(3)], {}, { outputs: ['y'] })];
  });
  const { diagnostics } = compile(prepare(graph).graph, { sourceHash: HASH });
  expect(diagnostics.map(({ severity, kind, where, message }) => [severity, kind, where, message])).toEqual([
    ['warning', 'float-layer', 'conv_1', 'runs in float (conv_f32): its result is not quantized'],
    ['warning', 'float-layer', 'y', 'runs in float (binary_f32): its first input is float'],
  ]);
});

test('every float operation that an int8 one could replace is a warning, and no other', () => {
  const graph = sketch((b, s) => {
    const integer = s.pair(s.conv(s.pair(b.input('x', 'float32', [1, 4, 6, 6])), 4, 4));
    const product = b.node('Mul', [s.conv(integer, 4, 4), s.scalar(3)]);
    const depthwise = b.node('Conv', [product, s.weights([4, 1, 3, 3])], { group: 4 });
    const window = { kernel_shape: [2, 2], strides: [2, 2] };
    const pooled = b.node('MaxPool', [b.node('AveragePool', [depthwise], { kernel_shape: [2, 2] })], {
      kernel_shape: [2, 2],
    });
    const rows = b.node('Flatten', [b.node('Clip', [pooled, s.scalar(-1), s.scalar(1)])]);
    return [
      b.node('Softmax', [b.node('MatMul', [rows, s.weights([16, 3], 1)])], { axis: 1 }),
      b.node('MaxPool', [integer], window),
      b.node('Tanh', [integer]),
      b.node('MatMul', [integer, product]),
      ...REDUCTIONS.map((op) => b.node(op, [rows, s.ints(1)])),
    ];
  });
  const { description, diagnostics } = compile(prepare(graph).graph, { sourceHash: HASH });
  const warned = diagnostics.map(({ message }) => /^runs in float \((\w+)\)/.exec(message)?.[1]);
  expect([...new Set(warned)].sort()).toEqual(PLAN_OP_NAMES.filter((op) => PLAN_OPS[op].int8Form !== undefined).sort());
  expect(description.variants[0].nodes.map(({ op }) => op)).toEqual(
    expect.arrayContaining(['softmax_f32', 'clamp_f32', 'conv_s8', 'max_pool_s8']),
  );
});
