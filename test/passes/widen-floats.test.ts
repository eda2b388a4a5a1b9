import { GraphBuilder } from '../../lib/ir/builder';
import type { ElementType } from '../../lib/ir/element-type';
import type { Graph } from '../../lib/ir/graph';
import { type Tensor, tensorFrom, toNumbers } from '../../lib/ir/tensor';
import { verify } from '../../lib/ir/verify';
import { readModel } from '../../lib/onnx/read-model';
import { writeModel } from '../../lib/onnx/write-model';
import { fromDense, toDense } from '../../lib/ops/dense';
import { widenFloats } from '../../lib/passes/widen-floats';
import { openReference } from '../../lib/reference/session';

type Narrow = 'float16' | 'bfloat16' | 'float64';
const CODES = { float16: 10, bfloat16: 16, float64: 11 } as const;

const numbers = (type: ElementType, dims: readonly number[], values: readonly number[]): Tensor =>
  fromDense({ type, dims, data: Float64Array.from(values) });

/** A network all in one type: constants in every place that a file has for them. */
function network(type: Narrow): Graph {
  const b = new GraphBuilder();
  const x = b.input('x', type, ['N', 4]);
  const w = b.initializer(numbers(type, [4, 3], [0.5, -1, 2, 0.25, 1, 3, -0.5, 2, 1, 1, 0, -2]), 'w');
  const constant = b.node('Constant', [], { value: { kind: 'tensor', value: numbers(type, [3], [0.125, -4, 1]) } });
  const shape = b.initializer(tensorFrom('int64', [1], [3]), 'shape');
  const filled = b.node('ConstantOfShape', [shape], { value: { kind: 'tensor', value: numbers(type, [1], [2]) } });
  const sum = b.node('Add', [b.node('MatMul', [x, w]), constant]);
  const product = b.node('Mul', [b.node('Cast', [sum], { to: CODES[type] }), filled]);
  const branch = (value: number) => {
    const inner = new GraphBuilder();
    const c = inner.node(
      'Constant',
      [],
      { value: { kind: 'tensor', value: numbers(type, [], [value]) } },
      { outputs: ['c'] },
    );
    const sub = inner.build();
    return {
      kind: 'graph',
      value: {
        ...sub,
        nodes: [
          ...sub.nodes,
          { ...sub.nodes[0], name: 'm', op: 'Mul', inputs: [product, c], outputs: ['b'], attributes: new Map() },
        ],
        outputs: ['b'],
        values: new Map([['b', { type, shape: undefined }]]),
      },
    } as const;
  };
  const condition = b.initializer(tensorFrom('bool', [], [1]), 'condition');
  const y = b.node('If', [condition], { then_branch: branch(4), else_branch: branch(8) }, { outputs: ['y'] });
  b.output(y, type, ['N', 3]);
  return b.build();
}

/** Types that a graph names anywhere. */
function typesOf(graph: Graph): Set<string> {
  const types = [...graph.values.values(), ...graph.initializers.values()].map(({ type }) => type as string);
  for (const { attributes } of graph.nodes)
    for (const [name, entry] of attributes) {
      if (entry.kind === 'tensor') types.push(entry.value.type);
      if (entry.kind === 'graph') types.push(...typesOf(entry.value));
      if (name === 'to') types.push(String(entry.value));
    }
  return new Set(types);
}

test.each(['float16', 'bfloat16', 'float64'] as const)('%s becomes float32 everywhere', async (type) => {
  const graph = network(type);
  const { graph: widened, diagnostics } = widenFloats(readModel(writeModel(graph)));
  expect(typesOf(graph)).toContain(type);
  expect([...typesOf(widened)].sort()).toEqual(['1', 'bool', 'float32', 'int64']);
  expect(verify(widened)).toEqual([]);
  expect(diagnostics.map(({ kind, message }) => [kind, message])).toEqual([
    ['float32-conversion', `${type} is converted to float32, also x, y, which take and give float32`],
  ]);
  const x = [1, -2, 0.5, 3];
  await using reference = await openReference(widened, { optimization: 'disabled' });
  const found = toNumbers((await reference.run(new Map([['x', tensorFrom('float32', [1, 4], x)]]))).get('y')!);
  // (x W + b) * 2 * 4, exact in every type.
  expect(found).toEqual([23, -48, -68]);
  // The JavaScript face of onnxruntime has no bfloat16.
  if (type === 'bfloat16') return;
  await using original = await openReference(graph);
  const before = (await original.run(new Map([['x', numbers(type, [1, 4], x)]]))).get('y')!;
  expect(Array.from(toDense(before, 'float64').data)).toEqual(found);
});

test('float32 graphs come back as they are', () => {
  const b = new GraphBuilder();
  b.output(b.node('Cast', [b.input('x', 'float32', [1])], { to: 7 }));
  const graph = b.build();
  expect(widenFloats(graph)).toEqual({ graph, diagnostics: [] });
  expect(widenFloats(graph).graph).toBe(graph);
});

const HALF = { to: CODES.float16 };

describe.each<readonly [what: string, told: boolean, draw: (b: GraphBuilder, x: string) => string]>([
  ['Casts at both', false, (b, x) => b.node('Cast', [b.node('Abs', [b.node('Cast', [x], { to: 1 })])], HALF)],
  ['Casts in a row', false, (b, x) => b.node('Cast', [b.node('Cast', [x], { to: 7 })], HALF)],
  ['the input as it is', false, (_, x) => x],
  ['arithmetic on float16', true, (b, x) => b.node('Abs', [x])],
  [
    'arithmetic on float16, then Casts',
    true,
    (b, x) => b.node('Cast', [b.node('Cast', [b.node('Abs', [x])], { to: 1 })], HALF),
  ],
  [
    'an output that rounds what is read of it',
    true,
    (b, x) => {
      const y = b.node('Cast', [b.node('Exp', [b.node('Cast', [x], { to: 1 })])], HALF);
      b.output(b.node('Cast', [y], { to: 1 }));
      return y;
    },
  ],
  [
    'a constant of float16 besides',
    true,
    (b, x) => {
      b.output(b.initializer(numbers('float16', [1], [0.1]), 'c'));
      return b.node('Cast', [b.node('Cast', [x], { to: 1 })], HALF);
    },
  ],
])('float16 ports that somebody keeps: %s', (_, told, draw) => {
  test(told ? 'is told' : 'is no conversion to tell of', () => {
    const b = new GraphBuilder();
    b.output(draw(b, b.input('x', 'float16', [3])), 'float16');
    const graph = b.build();
    const { graph: widened, diagnostics } = widenFloats(graph, new Set(['x', ...graph.outputs]));
    expect(typesOf(widened)).not.toContain('float16');
    expect(diagnostics.map(({ message }) => message)).toEqual(
      told ? ['float16 is converted to float32; float16 inputs and outputs stay so in plans and ONNX files'] : [],
    );
  });
});

test('float64 masks stay finite, infinities and NaN stay what they are', () => {
  const b = new GraphBuilder();
  const odd = [-1.7976931348623157e308, 1e300, Number.NEGATIVE_INFINITY, Number.NaN, 0.1, 1e-320];
  b.output(b.node('Add', [b.input('x', 'float64', [6]), b.initializer(numbers('float64', [6], odd), 'mask')]));
  const mask = widenFloats(b.build()).graph.initializers.get('mask')!;
  const largest = Math.fround(3.4028234663852886e38);
  expect(toNumbers(mask)).toEqual([-largest, largest, Number.NEGATIVE_INFINITY, Number.NaN, Math.fround(0.1), 0]);
});
