import { GraphBuilder } from '../../lib/ir/builder';
import type { Attribute, Dim, Node } from '../../lib/ir/graph';
import { tensorFrom } from '../../lib/ir/tensor';
import { OPERATORS } from '../../lib/ops';
import { checkSchema } from '../../lib/passes/check-schema';
import { bindShapes, inferShapes, symbolsOf } from '../../lib/passes/infer-shapes';
import { prepare } from '../../lib/passes/pipeline';
import { requireConsistent } from '../../lib/passes/require-consistent';

const ints = (...values: number[]) => tensorFrom('int64', [values.length], values);

test('names the node whose inputs do not fit, and goes on behind it', () => {
  const builder = new GraphBuilder();
  const x = builder.input('x', 'float32', [2, 3]);
  const y = builder.input('y', 'float32', [2, 4]);
  builder.node('Add', [x, y], {}, { outputs: ['bad'], name: 'clash' });
  builder.output(builder.node('Relu', [x], {}, { outputs: ['good'] }));
  builder.output('bad');
  const { graph, diagnostics } = inferShapes(builder.build());
  expect(diagnostics).toEqual([
    {
      severity: 'error',
      kind: 'shape-mismatch',
      where: 'clash',
      message: 'Add: shapes [2,3] and [2,4] do not broadcast',
    },
  ]);
  expect(graph.values.get('good')).toEqual({ type: 'float32', shape: [2, 3] });
  expect(graph.values.get('bad')).toBeUndefined();
});

test.each([
  ['Relu', [], {}, "Relu: input 'X' is missing"],
  ['Relu', ['x', 'x'], {}, 'Relu: expected at most 1 inputs, found 2'],
  ['Concat', ['x'], {}, "Concat: attribute 'axis' is missing"],
  ['Concat', ['x'], { axis: 'one' }, "Concat: attribute 'axis' is string, expected int"],
  ['And', ['x', 'x'], {}, "And: input 'A' cannot be float32 (expected bool)"],
  ['Relu', ['x'], { beta: 1 }, "Relu: attribute 'beta' is not known"],
  [
    'Pad',
    ['x', 'ends'],
    { mode: 'VALID' },
    "Pad: attribute 'mode' is 'VALID' (expected constant, reflect, edge, wrap)",
  ],
  ['MatMul', ['x', 'ends'], {}, "MatMul: input 'B' is int64, but 'A' is float32"],
  ['Concat', ['x', 'x', 'ends'], { axis: 0 }, "Concat: input 'inputs' is int64, but 'inputs' is float32"],
] as const)('%s(%j) %j breaks its schema', (op, inputs, attributes, message) => {
  const builder = new GraphBuilder();
  builder.input('x', 'float32', [2]);
  builder.input('ends', 'int64', [2]);
  builder.output(builder.node(op, inputs, attributes));
  expect(inferShapes(builder.build()).diagnostics.map((found) => found.message)).toContain(message);
});

/** Inputs of a QLinearConv whose weights have a scale per filter. */
const QLINEAR = ['uint8 1,3,8,8', 'float32', 'uint8', 'int8 5,3,3,3', 'float32 5', 'int8 5', 'float32', 'uint8'];

const RNN = ['float32 4,2,3', 'float32 1,5,3', 'float32 1,5,5'];

/** Inputs as types and extents, in order ('': left out); what is wrong with them, under which attributes. */
const CONTRADICTIONS: readonly (readonly [
  op: string,
  inputs: readonly string[],
  message: RegExp,
  attributes?: Parameters<GraphBuilder['node']>[2],
])[] = [
  ['LSTM', ['float32 4,1,3', 'float32 1,20,3', 'float32 1,16,4'], /expected W \[1,16,3\], found \[1,20,3\]/],
  ['LSTM', ['float32 4,1,3', 'float32 1,16,2', 'float32 1,16,4'], /expected W \[1,16,3\], found \[1,16,2\]/],
  ['LSTM', ['float32 4,1,3', 'float32 1,12,3', 'float32 1,12,4'], /expected W \[1,16,3\], found \[1,12,3\]/],
  ['GRU', ['float32 4,1,3', 'float32 1,12,3', 'float32 1,16,4'], /expected R \[1,12,4\], found \[1,16,4\]/],
  ['GRU', ['float32 4,1,3', 'float32 1,12,3', 'float32 1,12,4', 'float32 1,12'], /expected B \[1,24\], found \[1,12\]/],
  ['GRU', ['float32 4,1,3', 'float32 2,12,3', 'float32 1,12,4'], /expected W \[1,12,3\], found \[2,12,3\]/],
  ['RNN', ['float32 4,1,3', 'float32 1,4,3', 'float32 1,4,4'], /expected W \[1,5,3\], found/, { hidden_size: 5 }],
  ['RNN', ['float32 4,1,3', 'float32 1,5,3', 'float32 1,5,4'], /expected R \[1,5,5\], found/, { hidden_size: 5 }],
  ['GRU', ['float32 4,1,3', 'float32 1,12,3', 'float32 1,12,4'], /expected W \[2,12/, { direction: 'bidirectional' }],
  ['RNN', [...RNN, '', 'int32 1'], /expected lengths \[2\], found \[1\]/],
  ['RNN', [...RNN, '', '', 'float32 1,1,5'], /expected initial_h \[1,2,5\], found \[1,1,5\]/],
  ['RNN', [...RNN, '', '', 'float32 1,2,5'], /expected initial_h \[4,1,5\], found \[1,2,5\]/, { layout: 1 }],
  ['ConvTranspose', ['float32 1,3,8', 'float32 3,1,1'], /divisible by group 2, found 3/, { group: 2 }],
  ['ConvTranspose', ['float32 1,2,8', 'float32 2,1,3'], /weight with kernel_shape \[1\]/, { kernel_shape: [1] }],
  ['ConvTranspose', ['float32 1,2,8', 'float32 2,1,3', 'float32 2'], /expected bias \[1\], found \[2\]/],
  ['Gemm', ['float32 1,8', 'float32 8,5', 'float32 5,1'], /C of shape \[5,1\] does not broadcast to \[1,5\]/],
  ['LayerNormalization', ['float32 2,3', 'float32 4'], /factors of shape \[4\] do not broadcast to \[2,3\]/],
  ['LayerNormalization', ['float32 1,3', 'float32 3', 'float32 2,3'], /factors of shape \[2,3\] do not broadcast/],
  ['RMSNormalization', ['float32 2,3', 'float32 1,2,3'], /factors of shape \[1,2,3\] do not broadcast/],
  ['NonMaxSuppression', ['float32 1,30,4', 'float32 2,3,30'], /found \[1,30,4\] and \[2,3,30\]/],
  ['NonMaxSuppression', ['float32 2,30,4', 'float32 2,3,20'], /found \[2,30,4\] and \[2,3,20\]/],
  ['ScatterND', ['float32 4', 'int64 3,2', 'float32 3'], /tuples of 2 indices do not fit data \[4\]/],
  ...(
    [
      [1, 'float32 2', /expected one scale and zero point, found \[2\]/],
      [2, 'uint8 0', /expected one scale and zero point, found \[0\]/],
      [2, 'int8', /a zero point of int8 for elements of uint8/],
      [4, 'float32 3', /expected one scale and zero point or 5, found \[3\]/],
      [5, 'int8 5,1', /expected one scale and zero point or 5, found \[5,1\]/],
      [7, 'uint8 5', /expected one scale and zero point, found \[5\]/],
    ] as const
  ).map(([place, other, message]) => ['QLinearConv', QLINEAR.with(place, other), message] as const),
];

test.each(CONTRADICTIONS.map((each) => [each[0], each[1], each] as const))(
  '%s of %j contradicts itself',
  (_, __, [op, inputs, message, attributes]) => {
    const b = new GraphBuilder();
    const names = inputs.map((text, index) => {
      if (text === '') return '';
      const [type, dims = ''] = text.split(' ');
      return b.input(`in${index}`, type as 'float32', dims === '' ? [] : dims.split(',').map(Number));
    });
    b.output(b.node(op, names, attributes));
    const { diagnostics } = inferShapes(b.build());
    expect(diagnostics).toEqual([
      expect.objectContaining({ severity: 'error', kind: 'shape-mismatch', message: expect.stringMatching(message) }),
    ]);
  },
);

test('takes declared types for the outputs of unknown operators', () => {
  const builder = new GraphBuilder();
  const y = builder.node('Frobnicate', [builder.input('x', 'float32', [2])], {}, { domain: 'com.acme' });
  builder.declare(y, 'float32', ['N', 5]);
  builder.output(builder.node('Flatten', [y], {}, { outputs: ['z'] }));
  const { graph, diagnostics } = inferShapes(builder.build());
  expect(diagnostics).toEqual([]);
  expect(graph.values.get('z')).toEqual({ type: 'float32', shape: ['N', 5] });
});

test('warns where the file declares another shape', () => {
  const builder = new GraphBuilder();
  const y = builder.node('Relu', [builder.input('x', 'float32', [2])], {}, { name: 'act' });
  builder.output(y, 'float32', [3]);
  const { graph, diagnostics } = inferShapes(builder.build());
  expect(diagnostics).toEqual([expect.objectContaining({ severity: 'warning', kind: 'declared-shape', where: 'act' })]);
  expect(graph.values.get(y)?.shape).toEqual([2]);
});

test('follows symbols through shape arithmetic', () => {
  const builder = new GraphBuilder();
  const x = builder.input('x', 'float32', ['N', 'C', 4, 6]);
  const shape = builder.node('Shape', [x]);
  const two = builder.initializer(ints(2), 'two');
  const head = builder.node('Slice', [shape, builder.initializer(ints(0), 'zero'), two]);
  const tail = builder.node('ReduceProd', [builder.node('Slice', [shape, two, builder.initializer(ints(4), 'four')])]);
  const target = builder.node('Concat', [head, tail], { axis: 0 });
  builder.output(builder.node('Reshape', [x, target], {}, { outputs: ['y'] }));
  const flat = builder.node('Reshape', [x, builder.initializer(ints(-1, 8), 'flat')]);
  builder.output(builder.node('Concat', [flat, flat], { axis: 0 }, { outputs: ['z'] }));
  const { graph, diagnostics } = inferShapes(builder.build());
  expect(diagnostics).toEqual([]);
  expect(graph.values.get('y')?.shape).toEqual(['N', 'C', 24]);
  expect(graph.values.get('z')?.shape).toEqual(['6*C*N', 8]);
});

test('the -1 idiom of exported Expand nodes keeps its symbol', () => {
  const builder = new GraphBuilder();
  const x = builder.input('x', 'float32', ['N', 1]);
  const extents = builder.node(
    'Concat',
    [builder.node('Shape', [x], { end: 1 }), builder.initializer(ints(4), 'four')],
    {
      axis: 0,
    },
  );
  const minus = builder.node('Equal', [extents, builder.initializer(ints(-1, -1), 'minus')]);
  const target = builder.node('Where', [minus, builder.initializer(ints(1, 1), 'ones'), extents]);
  builder.output(builder.node('Expand', [x, target], {}, { outputs: ['y'] }));
  expect(inferShapes(builder.build()).graph.values.get('y')?.shape).toEqual(['N', 4]);
});

test('binds symbols of the inputs and forgets what depended on them', () => {
  const builder = new GraphBuilder();
  const x = builder.input('x', 'float32', ['N', 'T', 4]);
  builder.output(builder.node('Flatten', [x], { axis: 2 }, { outputs: ['y'] }));
  const symbolic = inferShapes(builder.build()).graph;
  expect(symbolsOf(symbolic)).toEqual(['N', 'T']);
  expect(symbolic.values.get('y')?.shape).toEqual(['N*T', 4]);
  const bound = inferShapes(bindShapes(symbolic, { N: 2, T: 5 }));
  expect(bound.diagnostics).toEqual([]);
  expect(bound.graph.values.get('y')?.shape).toEqual([10, 4]);
  for (const wrong of [{ M: 1 }, { N: -1 }, { N: 1.5 }] as Record<string, number>[])
    expect(() => bindShapes(symbolic, wrong)).toThrow(expect.objectContaining({ code: 'E_OPTION_VALUE' }));
});

describe('extents behind Resize', () => {
  const extents = (shape: Dim[], scales: number[]) => {
    const builder = new GraphBuilder();
    const x = builder.input('x', 'float32', shape);
    const given = builder.initializer(tensorFrom('float32', [scales.length], scales), 'scales');
    const y = builder.node('Resize', [x, '', given]);
    builder.output(y);
    return inferShapes(builder.build()).graph.values.get(y)!.shape;
  };
  test.each<[Dim[], number[], Dim[]]>([
    [
      [1, 3, 10, 10],
      [1, 1, 0.7, 1.1],
      [1, 3, 7, 11],
    ],
    [
      [1, 3, 11, 10],
      [1, 1, 2, 0.7],
      [1, 3, 22, 7],
    ],
    [
      ['N', 3, 10, 100],
      [1, 1, 0.3, 1.15],
      ['N', 3, 3, 115],
    ],
    [
      ['N', 3, 'H', 4],
      [1, 1, 2, 2],
      ['N', 3, 'size(resize,2)', 8],
    ],
  ])('%j by %j', (shape, scales, expected) => {
    expect(extents(shape, scales)).toEqual(expected);
  });
});

test.each([
  ['neither scales nor sizes', ['x']],
  ['empty scales, which stand for none', ['x', '', 'empty']],
])('a Resize of %s is named, be its input constant or not', (_, names) => {
  for (const constant of [true, false]) {
    const builder = new GraphBuilder();
    const pixels = Array(8).fill(1);
    const x = constant
      ? builder.initializer(tensorFrom('float32', [1, 1, 2, 4], pixels), 'x')
      : builder.input('x', 'float32', [1, 1, 2, 4]);
    builder.initializer(tensorFrom('float32', [0], []), 'empty');
    builder.output(builder.node('Resize', [x, ...names.slice(1)], {}, { name: 'resize' }));
    expect(prepare(builder.build()).diagnostics).toMatchObject([{ where: 'resize', kind: 'missing-input' }]);
  }
});

/** Every word of ONNX is taken, no other; where ONNX has one type variable for two inputs, two types are refused. */
test.each(
  OPERATORS.filter(
    ({ schema }) =>
      schema.inputs.some(({ like }) => like !== undefined) ||
      Object.values(schema.attributes).some(({ words }) => words),
  ).map((operator) => [operator.op, operator] as const),
)('%s is asked for the words and the like types of its schema', (_, operator) => {
  const { inputs, attributes } = operator.schema;
  const names = [...inputs, ...inputs.slice(-1)].map((_parameter, index) => `in${index}`);
  const types = names.map((_name, index) => ({ type: inputs[Math.min(index, inputs.length - 1)].types[0], shape: [] }));
  const given = inputs.at(-1)!.presence === 'variadic' ? types : types.slice(0, inputs.length);
  const needed = Object.entries(attributes)
    .filter(([, { required }]) => required)
    .map(([name, { kind }]) => [name, { kind, value: 0 } as Attribute] as const);
  const kindsOf = (words: Readonly<Record<string, string | number>>, of = given): string[] => {
    const node: Node = {
      ...{ name: 'n', op: operator.op, domain: operator.domain, inputs: names.slice(0, of.length), outputs: ['out'] },
      attributes: new Map([
        ...needed,
        ...Object.entries(words).map(
          ([name, value]) => [name, { kind: attributes[name].kind, value } as Attribute] as const,
        ),
      ]),
    };
    return checkSchema(operator, node, of).map(({ kind }) => kind);
  };
  for (const [name, { words = [] }] of Object.entries(attributes)) {
    for (const word of words) expect([word, kindsOf({ [name]: word })]).toEqual([word, []]);
    if (words.length > 0)
      expect(kindsOf({ [name]: attributes[name].kind === 'int' ? -1 : 'other' })).toEqual(['schema']);
  }
  given.forEach((_type, index) => {
    const { like, types: known } = inputs[Math.min(index, inputs.length - 1)];
    if (like === undefined || (index === 0 && inputs[0].name === like) || known.length === 1) return;
    expect(kindsOf({}, given.with(index, { type: known[1], shape: [] }))).toEqual(['type-mismatch']);
  });
});

/** Data [3,4] at constant indices; what is wrong with them. */
test.each([
  ['Gather', [2], [0, 3], 'index 3 is outside extent 3'],
  ['Gather', [1], [-4], 'index -4 is outside extent 3'],
  ['GatherElements', [1, 2], [2, 2147483647], 'index 2147483647 is outside extent 3'],
  ['GatherND', [2, 2], [2, 3, 1, 4], 'index 4 is outside extent 4'],
  ['ScatterElements', [1, 2], [-3, -4], 'index -4 is outside extent 3'],
  ['ScatterND', [2, 1], [2, 3], 'index 3 is outside extent 3'],
] as const)('%s at %j %j is refused', (op, dims, indices, message) => {
  const b = new GraphBuilder();
  const names = [b.input('x', 'float32', [3, 4]), b.initializer(tensorFrom('int64', dims, indices))];
  const updates = { ScatterElements: dims, ScatterND: [2, 4] }[op as 'ScatterND'];
  b.output(b.node(op, updates ? [...names, b.input('updates', 'float32', updates)] : names));
  expect(() => requireConsistent(prepare(b.build()))).toThrow(
    expect.objectContaining({ code: 'E_GRAPH_INVALID', message: expect.stringContaining(message) }),
  );
});
