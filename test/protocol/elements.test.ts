import type { Datatype } from '../../lib/core/datatype';
import { parseInferRequest } from '../../lib/protocol/parse-infer-request';
import { writeInferResponse } from '../../lib/protocol/write-infer-response';
import { modelOf } from './model';

/** The data of a JSON request with one element of this datatype. */
function parsed(datatype: Datatype, value: number): readonly unknown[] {
  const model = modelOf(datatype, [1]);
  const body = Buffer.from(JSON.stringify({ inputs: [{ ...model.inputs[0], data: [value] }] }));
  return Array.from<number | bigint>(parseInferRequest(body, undefined, model).inputs[0]);
}

const LARGEST_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;

test.each<[Datatype, number[], number[]]>([
  ['UINT8', [0, 255], [-1, 256, 0.5]],
  ['INT8', [-128, 127], [-129, 128, -0.5]],
  ['INT32', [-(2 ** 31), 2 ** 31 - 1], [-(2 ** 31) - 1, 2 ** 31, 0.5]],
  ['BOOL', [0, 1], [2, -1, 0.5]],
  ['FP32', [-LARGEST_FLOAT32, LARGEST_FLOAT32, 0.5], [-LARGEST_FLOAT32 * 1.0001, LARGEST_FLOAT32 * 1.0001]],
])('JSON numbers of %s are those that it holds', (datatype, held, others) => {
  for (const value of held) expect(parsed(datatype, value)).toEqual([value]);
  for (const value of others)
    expect(() => parsed(datatype, value)).toThrow(expect.objectContaining({ code: 'E_REQUEST_FORMAT' }));
});

test('int64 of JSON are the integers that JavaScript holds, and come as such', () => {
  for (const value of [0, -1, Number.MAX_SAFE_INTEGER]) expect(parsed('INT64', value)).toEqual([BigInt(value)]);
  for (const value of [0.5, 2 ** 53])
    expect(() => parsed('INT64', value)).toThrow(expect.objectContaining({ code: 'E_REQUEST_FORMAT' }));
});

test('half precision numbers of JSON round to nearest, ties to even', () => {
  for (const [value, bits] of [
    [1, 0x3c00],
    [65504, 0x7bff],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [2 ** -25, 0],
    [-0.5, 0xb800],
  ])
    expect(parsed('FP16', value)).toEqual([bits]);
  for (const value of [65505, -65520])
    expect(() => parsed('FP16', value)).toThrow(expect.objectContaining({ code: 'E_REQUEST_FORMAT' }));
});

test('answers in JSON have booleans, integers and half precision numbers as JSON has them', () => {
  const specs = [
    { name: 'b', datatype: 'BOOL', shape: [2] },
    { name: 'i', datatype: 'INT64', shape: [1] },
    { name: 'h', datatype: 'FP16', shape: [1] },
  ] as const;
  const request = { id: undefined, outputs: specs.map((_, index) => ({ index, binary: false })) };
  const data = [Uint8Array.of(1, 0), BigInt64Array.of(-7n), Uint16Array.of(0x3800)];
  const given = data.map((values) => ({ shape: [values.length], data: values }));
  const { chunks } = writeInferResponse({ name: 'm', version: '1' }, request, specs, given);
  const { outputs } = JSON.parse(Buffer.concat(chunks).toString());
  expect(outputs.map((output: { data: unknown }) => output.data)).toEqual([[true, false], [-7], [0.5]]);
});
