import type { ValueType } from '../../lib/ir/graph';
import type { Tensor } from '../../lib/ir/tensor';
import { findOperator, OPERATORS } from '../../lib/ops';
import type { KernelCall } from '../../lib/ops/kernel-call';
import { ints, opCase, random, scalar } from './draw';
import { float, graphOf, type OpCase } from './op-case';

const x = random([2, 3, 4]);

function lower(item: OpCase, constants = true): ReturnType<NonNullable<ReturnType<typeof findOperator>>['lower'] & {}> {
  const [node] = graphOf(item).nodes;
  const types = item.inputs.map((tensor): ValueType | undefined => tensor && { type: tensor.type, shape: tensor.dims });
  const constant = (index: number): Tensor | undefined => (constants && index > 0 ? item.inputs[index] : undefined);
  return findOperator('', item.op)!.lower!({ node, inputs: types, outputs: [types[0]], constant });
}

const REDUCED = [
  ['ReduceMax', 'reduce_max_f32', 'reduce_max_s8'],
  ['ReduceMin', 'reduce_min_f32', 'reduce_min_s8'],
] as const;

const CALLS: readonly [OpCase, KernelCall][] = [
  [opCase('Add', '', [x, x]), { kernel: 'binary', operation: 'add' }],
  [opCase('Mul', '', [x, x]), { kernel: 'binary', operation: 'multiply' }],
  [opCase('Concat', '', [x, x], { axis: -1 }), { kernel: 'concat', axis: 2 }],
  [opCase('Transpose', '', [x]), { kernel: 'transpose', permutation: [2, 1, 0] }],
  [opCase('Transpose', '', [x], { perm: [0, 2, 1] }), { kernel: 'transpose', permutation: [0, 2, 1] }],
  [
    opCase('Slice', '', [x, ints(-1), ints(-9), ints(2), ints(-2)]),
    { kernel: 'slice', starts: [0, 0, 3], steps: [1, 1, -2] },
  ],
  [opCase('Pad', '', [x, ints(0, 1, 2, 0, 0, 0)]), { kernel: 'pad', before: [0, 1, 2], value: 0 }],
  [opCase('Pad', '', [x, ints(3, 4), scalar('float32', 7), ints(-1)]), { kernel: 'pad', before: [0, 0, 3], value: 7 }],
  [
    opCase('Pad', '', [x, ints(0, 1, -1, 0, 0, 2)], { mode: 'edge' }),
    { kernel: 'select', places: [undefined, [0, 0, 1, 2], [1, 2, 3, 3, 3]] },
  ],
  [opCase('Tile', '', [x, ints(1, 2, 1)]), { kernel: 'select', places: [undefined, [0, 1, 2, 0, 1, 2], undefined] }],
  [
    opCase('Resize', '', [x, undefined, undefined, ints(2, 3, 8)]),
    { kernel: 'select', places: [undefined, undefined, [0, 0, 1, 1, 2, 2, 3, 3]] },
  ],
  [opCase('Expand', '', [x, ints(1)]), { kernel: 'expand' }],
  [opCase('Trilu', '', [x, scalar('int64', -1)], { upper: 0 }), { kernel: 'triangle', upper: false, diagonal: -1 }],
  ...['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Identity', 'Dropout'].map((op): [OpCase, KernelCall] => [
    opCase(op, '', [x]),
    { kernel: 'reshape' },
  ]),
  ...REDUCED.flatMap(([op, ...words]) =>
    (
      [
        [[x, ints(-1, 0)], {}, [0, 2]],
        [[x], {}, [0, 1, 2]],
        [[x, ints()], {}, [0, 1, 2]],
        [[x, ints(1)], { noop_with_empty_axes: 1 }, [1]],
        [[x, ints()], { noop_with_empty_axes: 1 }, undefined],
        [[x], { noop_with_empty_axes: 1 }, undefined],
        [[random([2, 1, 4, 1]), ints(3, 1)], {}, undefined],
        [[random([2, 1, 4, 1]), ints(3, 2)], {}, [2, 3]],
      ] as const
    ).map(([inputs, attributes, axes]): [OpCase, KernelCall] => [
      opCase(op, '', inputs, attributes),
      axes ? { kernel: 'reduce', axes, float: words[0], integer: words[1] } : { kernel: 'reshape' },
    ]),
  ),
];

test.each(CALLS.map(([item, call]) => [item.op, item, call] as const))('%s becomes a kernel call', (_, item, call) => {
  expect(lower(item)).toEqual(call);
});

test.each([
  ['Slice', opCase('Slice', '', [x, ints(0), ints(1)])],
  ['Pad', opCase('Pad', '', [x, ints(0, 0, 0, 0, 0, 0)])],
  ['Tile', opCase('Tile', '', [x, ints(1, 1, 2)])],
  ['Trilu', opCase('Trilu', '', [x, scalar('int64', 0)])],
  ['Resize', opCase('Resize', '', [x, undefined, undefined, ints(2, 3, 8)])],
  ['ReduceMax', opCase('ReduceMax', '', [x, ints(0)])],
] as const)('%s with computed parameters says why it has no kernel', (op, item) => {
  const call = lower(item, false);
  expect(call).toMatchObject({ severity: 'error', kind: 'not-lowered' });
  expect('message' in call && call.message).toContain(op);
});

test.each([
  opCase('Pad', '', [x, ints(3, 4), scalar('float32', 7), ints(5)]),
  opCase('ReduceMax', '', [x, ints(3)]),
  opCase('ReduceMax', '', [x, ints(1, -2)]),
])('$op of axes that are not there says so, as what asks for its kernel need not have inferred its shape', (item) => {
  expect(lower(item)).toMatchObject({ kind: 'bad-axis' });
});

test.each([
  ['Relu', opCase('Relu', '', [x]), [0, Number.POSITIVE_INFINITY]],
  ['Clip', opCase('Clip', '', [x, scalar('float32', -1), scalar('float32', 6)]), [-1, 6]],
  ['Clip', opCase('Clip', '', [x, undefined, scalar('float32', 6)]), [Number.NEGATIVE_INFINITY, 6]],
  ['Sigmoid', opCase('Sigmoid', '', [x]), undefined],
] as const)('%s is a table, and a clamp where it is one', (_, item, clamp) => {
  expect(lower(item)).toMatchObject({ kernel: 'unary', ...(clamp && { clamp }) });
  expect('clamp' in lower(item)).toBe(clamp !== undefined);
  expect('float' in lower(item)).toBe(clamp === undefined);
});

test('tables are the float32 function that evaluation computes', () => {
  let checked = 0;
  const leaky = opCase('LeakyRelu', '', [x], { alpha: float(0.25) });
  for (const operator of OPERATORS.filter(({ domain }) => domain === '')) {
    const { op } = operator;
    const item = op === 'LeakyRelu' ? leaky : opCase(op, '', [x]);
    const needsMore = Object.values(operator.schema.attributes).some((entry) => entry.required);
    if (!operator.lower || operator.schema.inputs.length !== 1 || needsMore) continue;
    const call = lower(item);
    if (!('kernel' in call) || call.kernel !== 'unary') continue;
    const [node] = graphOf(item).nodes;
    const input = { type: 'float32' as const, dims: [5], data: Float32Array.of(-3, -0.3, 0, 0.3, 3) };
    const [expected] = operator.evaluate!([input], node, 'float32');
    expect(Array.from(input.data, call.table)).toEqual(Array.from(expected.data));
    checked++;
  }
  expect(checked).toBeGreaterThan(20);
});

test('costs count elements, and nothing for what moves no data', () => {
  const type: ValueType = { type: 'float32', shape: [2, 3, 4] };
  const cost = (op: string, inputs: number) => {
    const [node] = graphOf(opCase(op, '', Array<Tensor>(inputs).fill(x))).nodes;
    return findOperator('', op)!.cost!(Array<ValueType>(inputs).fill(type), [type], node);
  };
  expect(cost('Relu', 1)).toEqual({ macs: 0, elementOps: 24 });
  expect(cost('Sum', 3)).toEqual({ macs: 0, elementOps: 48 });
  expect(cost('Flatten', 1)).toEqual({ macs: 0, elementOps: 0 });
});

test('what copies elements keeps their scale', () => {
  for (const op of ['Concat', 'Pad', 'Slice', 'Split', 'Transpose', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze'])
    expect(findOperator('', op)!.quantization).toMatchObject({ output: 'same' });
  for (const op of ['Relu', 'Sigmoid', 'Add', 'Mul', 'Clip'])
    expect(findOperator('', op)!.quantization).toMatchObject({ output: 'own' });
  for (const op of ['Exp', 'Log', 'Sqrt'])
    expect(findOperator('', op)!.quantization).toMatchObject({ output: 'float' });
});
