import { checkConversion, convertTensor } from '../../lib/data/convert';
import type { ElementType } from '../../lib/ir/element-type';
import { type Tensor, tensorFrom, tensorOf, toNumbers, type ViewType } from '../../lib/ir/tensor';
import { fromDense } from '../../lib/ops/dense';

const of = (type: ViewType, ...values: number[]) => tensorFrom(type, [values.length], values);
const big = (...values: bigint[]) => tensorOf('int64', [values.length], BigInt64Array.from(values));
const half = (type: 'float16' | 'bfloat16', ...values: number[]) =>
  fromDense({ type, dims: [values.length], data: Float32Array.from(values) });

/** Arrays, the type that a model wants, and the numbers that it gets. */
const EXACT: readonly (readonly [what: string, array: Tensor, to: ElementType, numbers: number[]])[] = [
  [
    'float16 to float32',
    half('float16', 1.5, -0.25, 65504, Number.POSITIVE_INFINITY),
    'float32',
    [1.5, -0.25, 65504, Number.POSITIVE_INFINITY],
  ],
  ['bfloat16 to float32', half('bfloat16', 1.5, -(2 ** 100)), 'float32', [1.5, -(2 ** 100)]],
  ['float16 of integers to int64', half('float16', 3, -7), 'int64', [3, -7]],
  ['int64 to float32', of('int64', 2 ** 24, -(2 ** 53), 3), 'float32', [2 ** 24, -(2 ** 53), 3]],
  ['int64 to int32', of('int64', 2 ** 31 - 1, -(2 ** 31)), 'int32', [2 ** 31 - 1, -(2 ** 31)]],
  ['int64 to uint8', of('int64', 0, 255), 'uint8', [0, 255]],
  ['uint32 to float32', of('uint32', 2 ** 31), 'float32', [2 ** 31]],
  ['float32 of token ids to int64', of('float32', 5, 70000), 'int64', [5, 70000]],
  ['float64 of token ids to int32', of('float64', 5, -3), 'int32', [5, -3]],
  ['float64 to float32 is rounded', of('float64', 0.1, Number.NaN), 'float32', [Math.fround(0.1), Number.NaN]],
  ['int64 to bool', of('int64', 0, 1), 'bool', [0, 1]],
  ['bool to int64', of('bool', 0, 1), 'int64', [0, 1]],
];

test.each(EXACT)('%s', (_, array, to, numbers) => {
  checkConversion(array.type, to, 'x');
  const found = convertTensor(array, to, 'x');
  expect([found.type, found.dims, toNumbers(found)]).toEqual([to, array.dims, numbers]);
});

/** Numbers that the wanted type does not hold, and how the refusal names them. */
const LOSSY: readonly (readonly [array: Tensor, to: ElementType, found: string])[] = [
  [of('int64', 1, 2 ** 24 + 1), 'float32', 'int64 16777217 at 1'],
  [big(9007199254740993n), 'float64', 'int64 9007199254740993 at 0'],
  [of('int64', 2 ** 31), 'int32', 'int64 2147483648 at 0'],
  [of('int64', -1), 'uint64', 'int64 -1 at 0'],
  [of('int32', 300), 'uint8', 'int32 300 at 0'],
  [of('float32', 0, 0.5), 'int64', 'float32 0.5 at 1'],
  [of('float32', Number.NaN), 'int32', 'float32 NaN at 0'],
  [of('float32', Number.POSITIVE_INFINITY), 'int64', 'float32 Infinity at 0'],
  [of('float64', 1e39), 'float32', 'float64 1e+39 at 0'],
  [half('float16', 2.5), 'uint8', 'float16 2.5 at 0'],
  [of('uint8', 2), 'bool', 'uint8 2 at 0'],
];

test.each(LOSSY)('%# is refused, naming the number', (array, to, found) => {
  expect(() => convertTensor(array, to, 'pixels')).toThrow(
    expect.objectContaining({
      code: 'E_DATA_MISMATCH',
      details: { expected: `elements of type ${to} for 'pixels'`, found: `${found}, which ${to} does not hold` },
    }),
  );
});

test.each([
  ['string', 'float32'],
  ['float32', 'string'],
  ['int4', 'int8'],
  ['float32', 'float16'],
] as const)('%s is never %s', (from, to) => {
  expect(() => checkConversion(from, to, 'x')).toThrow(expect.objectContaining({ code: 'E_DATA_MISMATCH' }));
});
