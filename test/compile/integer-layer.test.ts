import type { ConstantSource } from '../../lib/compile/constants';
import { floatBias, integerBias, requantizeOperands } from '../../lib/compile/integer-layer';
import { Program } from '../../lib/compile/program';
import { attributes } from '../../lib/ir/attribute';
import type { Node } from '../../lib/ir/graph';
import { tensorFrom } from '../../lib/ir/tensor';

/** A source with one dequantized int32 constant `b`. */
function source(integers: readonly number[], scales: readonly number[], zeroPoint?: number): ConstantSource {
  const perChannel = scales.length > 1 ? [scales.length] : [];
  const tensors = {
    q: tensorFrom('int32', [integers.length], [...integers]),
    s: tensorFrom('float32', perChannel, [...scales]),
    z: tensorFrom(
      'int32',
      perChannel,
      scales.map(() => zeroPoint ?? 0),
    ),
  };
  const node: Node = {
    name: 'b',
    op: 'DequantizeLinear',
    domain: '',
    inputs: zeroPoint === undefined ? ['q', 's'] : ['q', 's', 'z'],
    outputs: ['b'],
    attributes: attributes({ axis: 0 }),
  };
  return {
    producer: (value) => (value === 'b' ? node : undefined),
    initializer: (value) => tensors[value as 'q'],
  };
}

test.each([
  [
    'taken as they stand under the scale of the accumulator',
    [2 ** 30 + 1, -7],
    [0.5, 0.25],
    undefined,
    [2 ** 30 + 1, -7],
  ],
  ['rounded from the float under another scale', [3, -6], [0.25], undefined, [2, -6]],
  ['counted from their zero point', [5, -3], [0.5, 0.25], 1, [4, -4]],
])('integers of a bias are %s', (_, integers, scales, zeroPoint, expected) => {
  const bias = integerBias(source(integers, scales, zeroPoint), 'b', 0.5, [1, 0.5], 100);
  expect(Array.from(bias)).toEqual(expected);
});

test('a bias whose rounding would be seen in the result has no integers', () => {
  expect(() => integerBias(source([3, -6], [0.25]), 'b', 0.5, [1, 0.5], 1)).toThrow("bias 'b'[0] is lost");
});

test('no bias is zeros; one number serves all outputs', () => {
  expect(Array.from(integerBias(source([1], [1]), '', 1, [1, 1], 1))).toEqual([0, 0]);
  expect(Array.from(floatBias(source([3], [0.5]), 'b', 3))).toEqual([1.5, 1.5, 1.5]);
  expect(() => floatBias(source([1, 2], [1]), 'b', 3)).toThrow("the bias 'b' is [2]");
});

/** Whatever the zero point, codes reach from -128 to 127: the farther end counts. */
test.each([
  [100, 228],
  [-100, 227],
  [-128, 255],
  [127, 255],
])('no sum of a layer with zero point %i may leave int32: codes are up to %i steps away', (zeroPoint, reach) => {
  const sum = 508;
  const operands = (bias: number) =>
    requantizeOperands(
      new Program(),
      { ...source([0], [1]).producer('b')!, name: 'layer' },
      {
        bias: Int32Array.of(bias),
        weights: {
          values: new Int8Array(4).fill(127),
          scales: Float32Array.of(1),
          zeroPoints: Int32Array.of(0),
          sums: Float64Array.of(sum),
        },
        input: { scale: 1, zeroPoint },
        output: { scale: 1, zeroPoint: 0 },
      },
    );
  const most = 2 ** 31 - 1 - reach * sum;
  expect(operands(most)).toHaveLength(3);
  expect(() => operands(most + 1)).toThrow(`can reach ${2 ** 31}, beyond int32`);
  expect(() => operands(-most - 1)).toThrow('beyond int32');
});
