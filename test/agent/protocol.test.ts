import { type Datatype, parseInferRequest } from '../../lib/agent/protocol';

/** The data of a JSON request with one element of this datatype. */
function parsed(datatype: Datatype, value: number): readonly unknown[] {
  const input = { name: 'x', datatype, shape: [1] };
  const body = Buffer.from(JSON.stringify({ inputs: [{ ...input, data: [value] }] }));
  return Array.from(parseInferRequest(body, undefined, [input], []).inputs[0]);
}

const LARGEST_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;

test.each<[Datatype, number[], number[]]>([
  ['UINT8', [0, 255], [-1, 256, 0.5]],
  ['INT8', [-128, 127], [-129, 128, -0.5]],
  ['FP32', [-LARGEST_FLOAT32, LARGEST_FLOAT32, 0.5], [-LARGEST_FLOAT32 * 1.0001, LARGEST_FLOAT32 * 1.0001]],
])('JSON numbers of %s are those that it holds', (datatype, held, others) => {
  for (const value of held) expect(parsed(datatype, value)).toEqual([value]);
  for (const value of others)
    expect(() => parsed(datatype, value)).toThrow(expect.objectContaining({ code: 'E_REQUEST_FORMAT' }));
});
