import { compile, diagnose } from '../../lib/compile/compile';
import { type ConstantSource, channelWeights, floatConstant } from '../../lib/compile/constants';
import { attributes } from '../../lib/ir/attribute';
import { GraphBuilder } from '../../lib/ir/builder';
import { tensorFrom, viewAs } from '../../lib/ir/tensor';
import { scaleIndices } from '../../lib/ops/quantizer';
import { inferShapes } from '../../lib/passes/infer-shapes';
import { HASH } from './run-case';
import { sketch } from './small-graphs';

/** A source with the dequantized constant `w` [2, 3] of one zero point for all. */
function source(type: 'int8' | 'uint8', codes: readonly number[], zero: number): ConstantSource {
  const tensors = {
    q: tensorFrom(type, [2, 3], codes),
    s: tensorFrom('float32', [], [0.5]),
    z: tensorFrom(type, [], [zero]),
  };
  const node = { name: 'w', op: 'DequantizeLinear', domain: '', inputs: ['q', 's', 'z'], outputs: ['w'] };
  return {
    producer: (value) => (value === 'w' ? { ...node, attributes: attributes({}) } : undefined),
    initializer: (value) => tensors[value as 'q'],
  };
}

test.each([
  ['int8', [1, -2, 3, -4, 5, 6], 1, [1, -2, 3, -4, 5, 6], 1],
  ['uint8', [0, 128, 255, 3, 4, 5], 128, [-128, 0, 127, -125, -124, -123], 0],
] as const)(
  '%s weights: canonical codes, and the sum of their steps by output',
  (type, codes, zero, values, shifted) => {
    const from = source(type, codes, zero);
    const [rows, columns] = [channelWeights(from, 'w', 0, 2), channelWeights(from, 'w', 1, 3)];
    const steps = values.map((value) => Math.abs(value - shifted));
    expect(Array.from(rows.values)).toEqual(values);
    expect([Array.from(rows.zeroPoints), Array.from(rows.scales)]).toEqual([
      [shifted, shifted],
      [0.5, 0.5],
    ]);
    expect(Array.from(rows.sums)).toEqual([steps[0] + steps[1] + steps[2], steps[3] + steps[4] + steps[5]]);
    expect(Array.from(columns.sums)).toEqual([0, 1, 2].map((column) => steps[column] + steps[column + 3]));
  },
);

test('what is made of a constant is made once', () => {
  const from = source('uint8', [0, 128, 255, 3, 4, 5], 128);
  expect(channelWeights(from, 'w', 1, 3)).toBe(channelWeights(from, 'w', 1, 3));
  expect(floatConstant(from, 'w')).toBe(floatConstant(from, 'w'));
});

test('weights that lie as kernels read them are not copied; weights of two layers are arranged once', () => {
  const graph = inferShapes(
    sketch((b, s) => {
      const [straight, turned] = [s.weights([4, 4]), s.weights([4, 4], 1)];
      const first = s.pair(b.node('Gemm', [s.pair(b.input('x', 'float32', [1, 4])), straight], { transB: 1 }));
      const second = s.pair(b.node('MatMul', [first, turned]));
      return [s.pair(b.node('MatMul', [second, turned]))];
    }),
  ).graph;
  const { constants } = compile(graph, { sourceHash: HASH }).description;
  const given = [...graph.initializers.values()].filter(({ dims }) => dims.length === 2);
  const [straight, turned] = given.map((tensor) => viewAs(tensor, 'int8'));
  expect(constants.filter(({ buffer }) => buffer === straight.buffer)).toHaveLength(1);
  const transposed = Array.from(turned, (_, i) => turned[(i % 4) * 4 + Math.floor(i / 4)] & 0xff);
  const arranged = constants.filter((bytes) => bytes.join() === transposed.join());
  expect(arranged).toHaveLength(2);
  expect(arranged[0].buffer).toBe(arranged[1].buffer);
});

test.each([
  ['a scalar with two scales', [], [2]],
  ['scales for another count of channels', [3], [2]],
])('a dequantized constant that cannot be right is none: %s', (_, dims, scales) => {
  const b = new GraphBuilder();
  const ones = (type: 'int8' | 'float32', of: readonly number[]) =>
    b.initializer(tensorFrom(type, of, Array(of.reduce((count, dim) => count * dim, 1)).fill(1)));
  const bound = b.node(
    'DequantizeLinear',
    [ones('int8', dims), ones('float32', scales)],
    { axis: 0 },
    { name: 'bound' },
  );
  b.output(b.node('Clip', [b.input('x', 'float32', [1, 3]), bound]));
  expect(diagnose(inferShapes(b.build()).graph).map(({ where }) => where)).toContain('bound');
});

test('scales along an axis that is not there are a RangeError, not an endless loop', () => {
  expect(() => scaleIndices([], [2], 0, 0)).toThrow(RangeError);
});
