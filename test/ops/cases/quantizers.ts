import { tensorFrom } from '../../../lib/ir/tensor';
import { floats, integers, type OpCase, uniform } from '../op-case';

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
const borders = floats([0.5, 1.5, 2.5, -0.5, -1.5, 300, -300, infinity, -infinity, nan, 3.4e38, 1e-40]);

function quantize(title: string, x = borders, scale = floats([1], []), rest: Partial<OpCase> = {}): OpCase {
  return { op: 'QuantizeLinear', title, tolerance: 0, inputs: [x, scale], ...rest };
}

const TYPES = ['uint8', 'int8', 'uint16', 'int16'] as const;

/** QuantizeLinear and DequantizeLinear: borders, types, one scale or one per index of an axis. */
export const QUANTIZERS: readonly OpCase[] = [
  quantize('default type'),
  ...TYPES.map((type) =>
    quantize(`${type} with zero point`, borders, undefined, {
      inputs: [borders, floats([0.7], []), tensorFrom(type, [], [type.startsWith('u') ? 120 : -7])],
    }),
  ),
  quantize('per axis', uniform([2, 3, 4]), undefined, {
    inputs: [uniform([2, 3, 4]), floats([0.01, 0.02, 0.003]), tensorFrom('int8', [3], [0, 5, -9])],
  }),
  quantize('last axis', uniform([2, 3, 4]), floats([0.01, 0.02, 0.003, 0.5]), { attributes: { axis: -1 } }),
  quantize('blocks', uniform([2, 6]), floats([0.01, 0.02, 0.003, 0.005], [2, 2]), {
    attributes: { axis: 1, block_size: 3 },
  }),
  ...TYPES.map((type) => ({
    op: 'DequantizeLinear',
    title: type,
    tolerance: 0,
    inputs: [
      integers(type, [2, 3, 4], type.startsWith('u') ? 0 : -100, 100),
      floats([0.3, 0.7, 1e-3]),
      tensorFrom(type, [3], [1, 2, 3]),
    ],
  })),
  {
    op: 'DequantizeLinear',
    title: 'int32',
    tolerance: 0,
    inputs: [integers('int32', [4, 2], -1e9, 1e9), floats([0.1, 0.2, 0.3, 0.4])],
    attributes: { axis: 0 },
  },
];
