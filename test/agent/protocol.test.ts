import { parseInferRequest, writeInferResponse } from '../../lib/agent/protocol';
import type { Datatype } from '../../lib/core/datatype';

/** The data of a JSON request with one element of this datatype. */
function parsed(datatype: Datatype, value: number): readonly unknown[] {
  const input = { name: 'x', datatype, shape: [1] };
  const body = Buffer.from(JSON.stringify({ inputs: [{ ...input, data: [value] }] }));
  return Array.from<number | bigint>(parseInferRequest(body, undefined, [input], []).inputs[0]);
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

test('half precision numbers travel as binary data alone', () => {
  expect(() => parsed('FP16', 1)).toThrow(/FP16 travels as binary data alone/);
});

test('answers in JSON have booleans, integers and half precision numbers as JSON has them', () => {
  const specs = [
    { name: 'b', datatype: 'BOOL', shape: [2] },
    { name: 'i', datatype: 'INT64', shape: [1] },
    { name: 'h', datatype: 'FP16', shape: [1] },
  ] as const;
  const request = { id: undefined, inputs: [], outputs: specs.map((_, index) => ({ index, binary: false })) };
  const data = [Uint8Array.of(1, 0), BigInt64Array.of(-7n), Uint16Array.of(0x3800)];
  const given = data.map((values) => ({ shape: [values.length], data: values }));
  const { outputs } = JSON.parse(Buffer.from(writeInferResponse('m', request, specs, given).body).toString());
  expect(outputs.map((output: { data: unknown }) => output.data)).toEqual([[true, false], [-7], [0.5]]);
});
