import { inferBody, outputsByName } from '../../lib/client/tensors';
import { parseInferRequest } from '../../lib/protocol/parse-infer-request';
import { readInferResponse } from '../../lib/protocol/read-infer-response';
import { writeInferResponse } from '../../lib/protocol/write-infer-response';
import { joined, plain, spec } from '../protocol/model';

const SPECS = [spec('x', 'FP32', [-1, 2]), spec('n', 'INT64', [1])];

test('a request has as many rows as there are elements for', () => {
  const inputs = { n: BigInt64Array.of(7n), x: Float32Array.of(1, 2, 3, 4) };
  const { chunks, headerLength } = inferBody(SPECS, inputs);
  const model = { name: 'm', inputs: [spec('x', 'FP32', [2, 2]), SPECS[1]], outputs: [spec('y', 'FP32', [1])] };
  const request = parseInferRequest(joined(chunks), String(headerLength), model);
  expect(request.inputs.map(plain)).toEqual([[1, 2, 3, 4], [7n]]);
  expect(request.outputs).toEqual([{ index: 0, binary: true }]);
});

test.each([
  [
    'an input that the model does not have',
    SPECS,
    { z: Float32Array.of(1) },
    'E_INPUT_NAME',
    /'z'; the model has x, n/,
  ],
  ['half a row', SPECS, { x: Float32Array.of(1, 2, 3) }, 'E_INPUT_LENGTH', /a multiple of 2 elements, found 3/],
  [
    'a datatype that no array has',
    [{ name: 'x', datatype: 'BYTES', shape: [1] }],
    { x: Uint8Array.of(1) },
    'E_RESPONSE_FORMAT',
    /the datatype of input x is BYTES/,
  ],
])('%s', (_, specs, inputs, code, message) => {
  const error = expect.objectContaining({ code, message: expect.stringMatching(message) });
  expect(() => inferBody(specs, inputs as never)).toThrow(error);
});

test('outputs are elements by name; texts are none', () => {
  const specs = [spec('y', 'FP32', [1, 2])];
  const given = [{ shape: [1, 2], data: Float32Array.of(1, 2) }];
  const answer = (classification?: number) => {
    const outputs = [{ index: 0, binary: true, ...(classification === undefined ? {} : { classification }) }];
    const { chunks, headerLength } = writeInferResponse(
      { name: 'm', version: '1' },
      { id: undefined, outputs },
      specs,
      given,
    );
    return readInferResponse(joined(chunks), String(headerLength)).outputs;
  };
  expect(outputsByName(answer())).toEqual({ y: Float32Array.of(1, 2) });
  expect(() => outputsByName(answer(1))).toThrow(expect.objectContaining({ code: 'E_RESPONSE_FORMAT' }));
});
