import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { print } from '../../lib/ir/print';
import { tensorFrom, toNumbers } from '../../lib/ir/tensor';
import { verify } from '../../lib/ir/verify';
import { insertQdq, type QdqPlan } from '../../lib/passes/insert-qdq';
import { removeQdq } from '../../lib/passes/remove-qdq';

/** x -> Conv -> Relu -> y, plus an output that reads the float side: relu -> Neg -> z. */
function smallGraph(): Graph {
  const builder = new GraphBuilder({ name: 'small' });
  builder.input('x', 'float32', [1, 1, 2, 2]);
  const w = builder.initializer(tensorFrom('float32', [2, 1, 1, 1], [1.27, -0.5]), 'w');
  const b = builder.initializer(tensorFrom('float32', [2], [0.3, -0.02]), 'b');
  const conv = builder.node('Conv', ['x', w, b], {}, { outputs: ['conv'] });
  builder.declare(conv, 'float32', [1, 2, 2, 2]);
  builder.output(builder.node('Relu', [conv], {}, { outputs: ['y'] }), 'float32', [1, 2, 2, 2]);
  builder.output(builder.node('Neg', ['y'], {}, { outputs: ['z'] }), 'float32', [1, 2, 2, 2]);
  return builder.build();
}

const PLAN: QdqPlan = {
  activations: new Map([
    ['x', { scale: 0.5, zeroPoint: 3 }],
    ['y', { scale: 0.25, zeroPoint: 0 }],
  ]),
  constants: new Map([
    [
      'conv',
      new Map([
        [1, { type: 'int8' as const, scales: Float32Array.of(0.01, 0.125), axis: 0 }],
        [2, { type: 'int32' as const, scales: Float32Array.of(0.005, 0.0625), axis: 0 }],
      ]),
    ],
  ]),
};

test('stores constants as integers and puts pairs behind activations', () => {
  const { graph, dequantized } = insertQdq(smallGraph(), PLAN);
  expect(verify(graph)).toEqual([]);
  expect(print(graph)).toMatchInlineSnapshot(`
"graph small ir 10 opset onnx 21
  input x: float32[1,1,2,2]
  const x_scale: float32[] = [0.5]
  const x_zero_point: uint8[] = [3]
  const w_scale: float32[2] = [0.01,0.125]
  const w_quantized: int8[2,1,1,1] = [127,-4]
  const w_zero_point: int8[2] = [0,0]
  const b_scale: float32[2] = [0.005,0.0625]
  const b_quantized: int32[2] = [60,0]
  const y_scale: float32[] = [0.25]
  const y_zero_point: uint8[] = [0]
  x_quantized = QuantizeLinear(x, x_scale, x_zero_point) -> uint8[1,1,2,2]
  x_dequantized = DequantizeLinear(x_quantized, x_scale, x_zero_point) -> float32[1,1,2,2]
  w_dequantized = DequantizeLinear(w_quantized, w_scale, w_zero_point) axis=0 -> float32[2,1,1,1]
  b_dequantized = DequantizeLinear(b_quantized, b_scale) axis=0 -> float32[2]
  conv = Conv(x_dequantized, w_dequantized, b_dequantized) -> float32[1,2,2,2]
  y_float = Relu(conv) -> float32[1,2,2,2] @y
  y_quantized = QuantizeLinear(y_float, y_scale, y_zero_point) -> uint8[1,2,2,2]
  y = DequantizeLinear(y_quantized, y_scale, y_zero_point) -> float32[1,2,2,2] @y_dequantized
  z = Neg(y) -> float32[1,2,2,2]
  output y: float32[1,2,2,2]
  output z: float32[1,2,2,2]
"
`);
  expect(Object.fromEntries(dequantized)).toEqual({ x: 'x_dequantized', y: 'y' });
  const numbers = (name: string) => toNumbers(graph.initializers.get(name)!);
  expect(numbers('w_quantized')).toEqual([127, -4]);
  expect(numbers('b_quantized')).toEqual([60, 0]);
  for (const name of ['x_scale', 'x_zero_point', 'y_scale', 'y_zero_point'])
    expect(graph.initializers.get(name)!.dims).toEqual([]);
});

test('constants that nodes share with the same scales are stored once', () => {
  const builder = new GraphBuilder();
  builder.input('x', 'float32', [1, 2]);
  const w = builder.initializer(tensorFrom('float32', [2, 2], [1, 2, 3, 4]), 'w');
  const first = builder.node('MatMul', ['x', w], {}, { outputs: ['first'] });
  const second = builder.node('MatMul', [first, w], {}, { outputs: ['second'] });
  builder.output(builder.node('MatMul', [second, w], {}, { outputs: ['third'] }), 'float32', [1, 2]);
  const weight = (...scales: number[]) =>
    new Map([[1, { type: 'int8' as const, scales: Float32Array.from(scales), axis: 1 }]]);
  const constants = new Map([
    ['first', weight(1, 2)],
    ['second', weight(1, 2)],
    ['third', weight(1, 4)],
  ]);
  const { graph } = insertQdq(builder.build(), { activations: new Map(), constants });
  const weightOf = (name: string) => graph.nodes.find((node) => node.name === name)!.inputs[1];
  expect(weightOf('second')).toBe(weightOf('first'));
  expect(weightOf('third')).not.toBe(weightOf('first'));
  expect(graph.initializers.has('w')).toBe(false);
});

test('a constant operand is stored as uint8', () => {
  const builder = new GraphBuilder();
  builder.input('x', 'float32', [3]);
  const offset = builder.initializer(tensorFrom('float32', [3], [-1, 0, 100]), 'offset');
  builder.output(builder.node('Add', ['x', offset], {}, { outputs: ['y'] }), 'float32', [3]);
  const activations = new Map([['offset', { scale: 0.5, zeroPoint: 2 }]]);
  const { graph } = insertQdq(builder.build(), { activations, constants: new Map() });
  expect(toNumbers(graph.initializers.get('offset_quantized')!)).toEqual([0, 2, 202]);
  expect(graph.nodes.map(({ op, inputs }) => [op, ...inputs])).toEqual([
    ['DequantizeLinear', 'offset_quantized', 'offset_scale', 'offset_zero_point'],
    ['Add', 'x', 'offset_dequantized'],
  ]);
});

test('refuses plans that do not fit the graph', () => {
  const unknown = new Map([['nothing', { scale: 1, zeroPoint: 0 }]]);
  expect(() => insertQdq(smallGraph(), { activations: unknown, constants: new Map() })).toThrow(/no value 'nothing'/);
  const computed = new Map([['z', new Map([[0, { type: 'int8' as const, scales: Float32Array.of(1), axis: 0 }]])]]);
  expect(() => insertQdq(smallGraph(), { activations: new Map(), constants: computed })).toThrow(/not constant/);
});

test('removing the pairs gives the float graph back, with the rounded constants', () => {
  const before = smallGraph();
  const after = removeQdq(insertQdq(before, PLAN).graph);
  expect(verify(after)).toEqual([]);
  expect(after.nodes.map(({ op }) => op)).toEqual(['Conv', 'Relu', 'Neg']);
  expect(after.outputs).toEqual(before.outputs);
  const conv = after.nodes[0];
  expect(conv.inputs[0]).toBe('x');
  expect(toNumbers(after.initializers.get(conv.inputs[1])!).map(Math.fround)).toEqual([1.27, -0.5].map(Math.fround));
  expect(toNumbers(after.initializers.get(conv.inputs[2])!)).toEqual(
    [Math.fround(0.3), 0].map((x) => expect.closeTo(x, 6)),
  );
});

test('pairs that rescale are not removed', () => {
  const builder = new GraphBuilder();
  builder.input('x', 'float32', [4]);
  const scalar = (value: number) => builder.initializer(tensorFrom('float32', [], [value]), 'scale');
  const quantized = builder.node('QuantizeLinear', ['x', scalar(0.5)]);
  builder.output(builder.node('DequantizeLinear', [quantized, scalar(0.25)]), 'float32', [4]);
  const graph = builder.build();
  expect(removeQdq(graph).nodes).toHaveLength(2);
});
