import fc from 'fast-check';
import { decodeBfloat16, decodeFloat16, encodeBfloat16, encodeFloat16, roundHalfToEven } from '../../lib/core/half';
import type { ElementType } from '../../lib/ir/element-type';
import { fromDense, toDense } from '../../lib/ops/dense';
import { errorFunction } from '../../lib/ops/erf-function';

test('every half-precision number survives decoding and encoding', () => {
  const changed: number[] = [];
  for (let bits = 0; bits < 0x10000; bits++) {
    const isNaN16 = (bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0;
    if (!isNaN16 && encodeFloat16(decodeFloat16(bits)) !== bits) changed.push(bits);
    const isNaNBrain = (bits & 0x7f80) === 0x7f80 && (bits & 0x7f) !== 0;
    if (!isNaNBrain && encodeBfloat16(decodeBfloat16(bits)) !== bits) changed.push(bits);
  }
  expect(changed).toEqual([]);
  expect(decodeFloat16(encodeFloat16(Number.NaN))).toBeNaN();
  expect(decodeBfloat16(encodeBfloat16(Number.NaN))).toBeNaN();
});

test.each([
  [1 + 2 ** -11, 1], // a tie goes to the even neighbour
  [1 + 3 * 2 ** -11, 1 + 2 ** -9],
  [65519, 65504],
  [65520, Number.POSITIVE_INFINITY],
  [2 ** -25, 0],
  [2 ** -25 * 1.001, 2 ** -24],
  [-0, -0],
  [2047.99999, 2048],
])('%d rounds to the half-precision number %d', (value, expected) => {
  expect(decodeFloat16(encodeFloat16(value))).toBe(expected);
});

test('rounding to half precision picks the nearest', () => {
  fc.assert(
    fc.property(fc.double({ min: -65504, max: 65504, noNaN: true }), (value) => {
      const bits = encodeFloat16(value);
      const error = Math.abs(decodeFloat16(bits) - value);
      for (const other of [bits - 1, bits + 1])
        if ((other & 0x7c00) !== 0x7c00 && other >= 0)
          expect(error).toBeLessThanOrEqual(Math.abs(decodeFloat16(other) - value));
    }),
  );
});

test.each<[ElementType, number[], number[]]>([
  ['int4', [0xf1, 0x08], [1, -1, -8]],
  ['uint4', [0xf1, 0x08], [1, 15, 8]],
  ['int64', [1, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255], [1, -1]],
  ['float16', [0x00, 0x3c, 0x00, 0xc0], [1, -2]],
  ['bool', [1, 0], [1, 0]],
])('%s bytes become elements and come back', (type, bytes, elements) => {
  const tensor = { type, dims: [elements.length], bytes: Uint8Array.from(bytes) };
  const dense = toDense(tensor, 'float32');
  expect(Array.from(dense.data)).toEqual(elements);
  expect(Array.from(fromDense(dense).bytes)).toEqual(bytes);
});

test('float64 keeps its precision even in a float32 evaluation', () => {
  const tensor = { type: 'float64' as const, dims: [1], bytes: new Uint8Array(Float64Array.of(0.1).buffer) };
  expect(toDense(tensor, 'float32').data[0]).toBe(0.1);
});

test.each([
  [0.5, 0],
  [1.5, 2],
  [-0.5, -0],
  [-1.5, -2],
  [2.4999, 2],
  [2 ** 51 + 0.5, 2 ** 51],
  [2 ** 51 + 1.5, 2 ** 51 + 2],
])('%d rounds half to even to %d', (value, expected) => {
  expect(roundHalfToEven(value) + 0).toBe(expected + 0);
});

// Abramowitz and Stegun, table 7.1, and mpmath for the tails.
test.each([
  [0, 0],
  [0.5, 0.5204998778130465],
  [1, 0.8427007929497149],
  [2, 0.9953222650189527],
  [2.9999, 0.9999779095],
  [3.0001, 0.9999779113],
  [4, 0.9999999845827421],
  [-1, -0.8427007929497149],
  [Number.POSITIVE_INFINITY, 1],
])('erf(%d) is %d', (x, expected) => {
  expect(errorFunction(x)).toBeCloseTo(expected, Number.isInteger(x) || x === 0.5 ? 14 : 6);
});
