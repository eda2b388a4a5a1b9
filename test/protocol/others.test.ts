import type { ModelPorts } from '../../lib/protocol/infer-request';
import { parseInferRequest } from '../../lib/protocol/parse-infer-request';
import { plain, spec, utf8 } from './model';

const MODEL: ModelPorts = {
  name: 'net',
  inputs: [spec('x', 'FP32', [1, 2])],
  outputs: [spec('y', 'FP32', [1, 3]), spec('z', 'INT64', [1])],
};

const BYTES = Buffer.from(Float32Array.of(1, 2).buffer);

/** What is parsed of a body with this JSON, and the bytes of x behind it. */
function parsed(json: string, isBinary: boolean) {
  const body = isBinary ? Buffer.concat([utf8(json), BYTES]) : utf8(json);
  return parseInferRequest(body, isBinary ? String(utf8(json).length) : undefined, MODEL);
}

const BINARY_X = '{"name":"x","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}}';
const JSON_X = '{"name":"x","shape":[1,2],"datatype":"FP32","data":[1.0,2.0]}';
const ALL_JSON = [
  { index: 0, binary: false },
  { index: 1, binary: false },
];
const ALL_BINARY = ALL_JSON.map(({ index }) => ({ index, binary: true }));

/** Bodies as clients write them, with what they ask for: recorded from tritonclient 2.41.0, the others written after their sources. */
test.each<[string, string, object]>([
  [
    'tritonclient.http, without outputs',
    `{"inputs":[${BINARY_X}],"parameters":{"binary_data_output":true}}`,
    { id: undefined, outputs: ALL_BINARY },
  ],
  [
    'tritonclient.http, with an id, an output, priority and timeout',
    `{"id":"a-1","inputs":[${BINARY_X}],"outputs":[{"name":"z","parameters":{"binary_data":true}}],"parameters":{"priority":1,"timeout":1000}}`,
    { id: 'a-1', outputs: [{ index: 1, binary: true }], priority: 1, timeoutUs: 1000 },
  ],
  [
    'tritonclient.http, JSON both ways',
    `{"inputs":[${JSON_X}],"outputs":[{"name":"y","parameters":{"binary_data":false}}]}`,
    { outputs: [{ index: 0, binary: false }] },
  ],
  [
    'tritonclient.http, classes',
    `{"inputs":[${BINARY_X}],"outputs":[{"name":"y","parameters":{"classification":3,"binary_data":true}}]}`,
    { outputs: [{ index: 0, binary: true, classification: 3 }] },
  ],
  [
    'the C++ client of Triton and perf_analyzer',
    `{"id":"","parameters":{"binary_data_output":true},"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"parameters":{"binary_data_size":8}}]}`,
    { id: '', outputs: ALL_BINARY },
  ],
  [
    'the C++ client of Triton with outputs',
    `{"id":"","inputs":[${BINARY_X}],"outputs":[{"name":"z","parameters":{"binary_data":true}},{"name":"y","parameters":{"binary_data":true}}]}`,
    {
      outputs: [
        { index: 1, binary: true },
        { index: 0, binary: true },
      ],
    },
  ],
  [
    "KServe's client, JSON",
    `{"id":"5a","model_name":"net","inputs":[${JSON_X}],"parameters":{"binary_data_output":false}}`,
    { id: '5a', outputs: ALL_JSON },
  ],
  ["KServe's client, binary", `{"id":"5a","model_name":"net","inputs":[${BINARY_X}]}`, { outputs: ALL_JSON }],
  [
    'a client that writes what it does not have as null',
    `{"id":null,"parameters":null,"outputs":null,"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","parameters":null,"data":[[1,2]]}]}`,
    { id: undefined, outputs: ALL_JSON, priority: 0, timeoutUs: undefined },
  ],
  ['no outputs in a list', `{"inputs":[${JSON_X}],"outputs":[]}`, { outputs: ALL_JSON }],
  [
    'defaults in words',
    `{"inputs":[${JSON_X}],"parameters":{"sequence_id":0,"sequence_start":false,"sequence_end":false,"priority":0,"timeout":0,"binary_data_output":null}}`,
    { priority: 0, timeoutUs: undefined },
  ],
  ['a sequence of no name', `{"inputs":[${JSON_X}],"parameters":{"sequence_id":""}}`, { priority: 0 }],
  [
    'no classes',
    `{"inputs":[${JSON_X}],"outputs":[{"name":"y","parameters":{"classification":0}}]}`,
    { outputs: [{ index: 0, binary: false }] },
  ],
  [
    'an output that is JSON where others are binary',
    `{"inputs":[${JSON_X}],"parameters":{"binary_data_output":true},"outputs":[{"name":"y","parameters":{"binary_data":false}},{"name":"z"}]}`,
    {
      outputs: [
        { index: 0, binary: false },
        { index: 1, binary: true },
      ],
    },
  ],
  [
    'spaces, exponents and escapes',
    ` {\n\t"inp\\u0075ts": [ {"name":"\\u0078","shape":[1e0, 2.0],"datatype":"FP32","data":[10e-1, 0.2E+1]} ] }\r\n`,
    { outputs: ALL_JSON },
  ],
  ['the lowest priority', `{"inputs":[${JSON_X}],"parameters":{"priority":3}}`, { priority: 3 }],
])('%s', (_, json, expected) => {
  const request = parsed(json, json.includes('binary_data_size'));
  expect(request).toMatchObject({ rows: 1, ...expected });
  expect(plain(request.inputs[0])).toEqual([1, 2]);
});
