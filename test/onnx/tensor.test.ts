import type { ElementType } from '../../lib/ir/element-type';
import { ELEMENT_TYPES } from '../../lib/ir/element-type';
import { unpackStrings } from '../../lib/ir/strings';
import { toNumbers } from '../../lib/ir/tensor';
import { readModel } from '../../lib/onnx/read-model';
import { parseTensor } from '../../lib/onnx/read-tensor';
import { writeTensor } from '../../lib/onnx/write-model';
import { concat, field, int, model, node, raw, tensorModel, varint } from './proto';

const FLOATS = raw(Float32Array.of(1.5, -2, Number.POSITIVE_INFINITY));
const dims = (...list: number[]) => list.map((dim) => int(1, dim));
const packed = (id: number, ...values: (number | bigint)[]) => field(id, ...values.map((value) => varint(value)));

/** Typed field of each element type: what is in the file, and the bytes that must come out. */
const TYPED: [ElementType, count: number, content: Uint8Array, bytes: Uint8Array][] = [
  ['float32', 3, field(4, FLOATS), FLOATS],
  ['float64', 2, field(10, raw(Float64Array.of(0.1, -7))), raw(Float64Array.of(0.1, -7))],
  ['int32', 3, packed(5, -1, 2147483647, -2147483648), raw(Int32Array.of(-1, 2147483647, -2147483648))],
  ['int64', 3, packed(7, -1, 2n ** 63n - 1n, -(2n ** 63n)), raw(BigInt64Array.of(-1n, 2n ** 63n - 1n, -(2n ** 63n)))],
  ['uint64', 2, packed(11, 2n ** 64n - 1n, 5), raw(BigUint64Array.of(2n ** 64n - 1n, 5n))],
  ['uint32', 2, packed(11, 4294967295, 5), raw(Uint32Array.of(4294967295, 5))],
  ['uint16', 2, packed(5, 65535, 3), raw(Uint16Array.of(65535, 3))],
  ['int16', 2, packed(5, -5, 3), raw(Int16Array.of(-5, 3))],
  ['uint8', 2, packed(5, 255, 3), Uint8Array.of(255, 3)],
  ['int8', 2, packed(5, -128, 3), Uint8Array.of(128, 3)],
  ['bool', 3, packed(5, 1, 0, 1), Uint8Array.of(1, 0, 1)],
  ['float16', 2, packed(5, 0x3c00, 0xfc00), raw(Uint16Array.of(0x3c00, 0xfc00))],
  ['bfloat16', 1, packed(5, 0x3f80), raw(Uint16Array.of(0x3f80))],
  ['int4', 3, packed(5, 0x21, 0x0f), Uint8Array.of(0x21, 0x0f)],
  ['uint4', 2, packed(5, 0xff), Uint8Array.of(0xff)],
];

test.each(TYPED)('%s from its typed field and from raw data', (type, count, content, bytes) => {
  const head = [...dims(count), int(2, ELEMENT_TYPES[type].code)];
  const { tensor } = parseTensor(concat(...head, content));
  expect(tensor).toEqual({ type, dims: [count], bytes });
  expect(parseTensor(concat(...head, field(9, bytes))).tensor).toEqual(tensor);
  expect(parseTensor(writeTensor('t', tensor))).toEqual({ name: 't', tensor });
  for (const wrong of [count + 2, 0])
    expect(() => parseTensor(concat(...dims(wrong), int(2, ELEMENT_TYPES[type].code), content))).toThrow(
      expect.objectContaining({ code: 'E_ONNX_FORMAT' }),
    );
});

test('the table above holds every element type but string', () => {
  expect(TYPED.map(([type]) => type).sort()).toEqual(
    Object.keys(ELEMENT_TYPES)
      .filter((type) => type !== 'string')
      .sort(),
  );
});

test('strings', () => {
  const head = [...dims(2), int(2, ELEMENT_TYPES.string.code)];
  const { tensor } = parseTensor(concat(...head, field(6, 'ä'), field(6, '')));
  expect(unpackStrings(tensor)).toEqual(['ä', '']);
  expect(parseTensor(writeTensor('', tensor)).tensor).toEqual(tensor);
  expect(() => parseTensor(concat(...head, field(6, 'one')))).toThrow(/holds 1 strings, its shape 2/);
});

test('packed and unpacked numbers mix, dims come packed too', () => {
  const single = (value: number) => concat(Uint8Array.of((4 << 3) | 5), raw(Float32Array.of(value)));
  const bytes = concat(packed(1, 2, 2), int(2, 1), single(1), field(4, raw(Float32Array.of(2, 3))), single(4));
  expect(toNumbers(parseTensor(bytes).tensor)).toEqual([1, 2, 3, 4]);
  const integers = concat(packed(1, 3), int(2, 7), int(7, -1), packed(7, 5, 6));
  expect(toNumbers(parseTensor(integers).tensor)).toEqual([-1, 5, 6]);
});

test.each([
  ['raw data', 9],
  ['packed floats', 4],
])('%s are viewed in the file at any alignment, also in a pooled Buffer', (_, id) => {
  for (const name of ['w', 'ww', 'www', 'wwww']) {
    const bytes = concat(field(8, name), ...dims(3), int(2, 1), field(id, FLOATS));
    const { tensor } = parseTensor(bytes);
    expect(tensor.bytes.buffer).toBe(bytes.buffer);
    expect(toNumbers(tensor)).toEqual([1.5, -2, Number.POSITIVE_INFINITY]);
    expect(toNumbers(parseTensor(Buffer.from(bytes)).tensor)).toEqual([1.5, -2, Number.POSITIVE_INFINITY]);
  }
});

const REFUSED: [what: string, code: string, parts: Uint8Array[]][] = [
  ['negative extents', 'E_ONNX_FORMAT', [...dims(-1), int(2, 1)]],
  ['shapes beyond all memory', 'E_ONNX_FORMAT', [...dims(2 ** 40, 2 ** 40), int(2, 1)]],
  ['large shapes without data', 'E_ONNX_FORMAT', [...dims(2 ** 45), int(2, 1)]],
  ['raw data of a wrong length', 'E_ONNX_FORMAT', [...dims(2), int(2, 1), field(9, Uint8Array.of(1, 2, 3))]],
  ['no element type', 'E_ONNX_UNSUPPORTED', [...dims(1)]],
  ['complex numbers', 'E_ONNX_UNSUPPORTED', [...dims(1), int(2, 14)]],
  ['segments', 'E_ONNX_UNSUPPORTED', [...dims(1), int(2, 1), field(3, int(1, 0))]],
  ['a varint cut off', 'E_ONNX_FORMAT', [...dims(1), int(2, 7), field(7, Uint8Array.of(0x80))]],
  ['external data without a folder', 'E_ONNX_EXTERNAL', [...dims(1), int(2, 1), int(14, 1)]],
];
test.each(REFUSED)('refuses %s, in an initializer and in an attribute', (_, code, parts) => {
  expect(() => readModel(tensorModel(...parts))).toThrow(expect.objectContaining({ code }));
  const attribute = field(5, field(1, 'value'), int(20, 4), field(5, ...parts));
  const constant = model([node('Constant', [], ['w'], attribute), field(12, field(1, 'w'))]);
  expect(() => readModel(constant)).toThrow(expect.objectContaining({ code }));
});
