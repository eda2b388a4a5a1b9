import { HoneError } from '../../lib/core/error';
import type { ErrorCode } from '../../lib/core/error-table';
import type { ModelPorts } from '../../lib/protocol/infer-request';
import { parseInferRequest } from '../../lib/protocol/parse-infer-request';
import { spec, utf8 } from './model';

const MODEL: ModelPorts = {
  name: 'm',
  inputs: [spec('x', 'FP32', [1, 2, 3]), spec('ids', 'INT64', [2])],
  outputs: [spec('y', 'FP32', [1, 4]), spec('on', 'BOOL', [1])],
};

const X = { name: 'x', datatype: 'FP32', shape: [1, 2, 3], data: [1, 2, 3, 4, 5, 6] };
const IDS = { name: 'ids', datatype: 'INT64', shape: [2], data: [7, 8] };

/** The text of a request with changes in its object, in input x, and in the text itself. */
const text = (changes: object = {}, x: object = {}): string =>
  JSON.stringify({ inputs: [{ ...X, ...x }, IDS], ...changes });
const withX = (x: object): string => text({}, x);
/** Input x with this text in the place of its data. */
const withData = (data: string): string => withX({ data: '#' }).replace('"#"', data);

/** Body and header length of a binary request; `size` is the text of the size of x. */
function binary(size = '24', bytes = 24 + 16, header?: string): [Uint8Array, string] {
  const inputs = [
    { ...X, data: undefined, parameters: { binary_data_size: '#' } },
    { ...IDS, data: undefined, parameters: { binary_data_size: 16 } },
  ];
  const json = utf8(JSON.stringify({ inputs }).replace('"#"', size));
  const body = new Uint8Array(json.length + bytes);
  body.set(json);
  return [body, header ?? String(json.length)];
}

function refusal(body: Uint8Array, header?: string, model = MODEL): HoneError {
  try {
    parseInferRequest(body, header, model);
  } catch (error) {
    if (error instanceof HoneError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

test('the requests that the refusals are made of are taken', () => {
  expect(parseInferRequest(utf8(text()), undefined, MODEL).inputs.map(({ length }) => length)).toEqual([6, 2]);
  expect(parseInferRequest(...binary(), MODEL).inputs.map(({ length }) => length)).toEqual([6, 2]);
});

const JSON_CASES: [string, string | Uint8Array, ErrorCode, RegExp][] = [
  ['no bytes', '', 'E_REQUEST_FORMAT', /found no bytes/],
  ['spaces alone', '  ', 'E_REQUEST_FORMAT', /expected JSON/],
  ['null', 'null', 'E_REQUEST_FORMAT', /expected a JSON object, found null/],
  ['a list', '[]', 'E_REQUEST_FORMAT', /found a list/],
  ['a number', '1', 'E_REQUEST_FORMAT', /found 1/],
  ['a text', '"x"', 'E_REQUEST_FORMAT', /found "x"/],
  ['half an object', '{"inputs": [', 'E_REQUEST_FORMAT', /expected JSON/],
  ['an open string', '{"inputs', 'E_REQUEST_FORMAT', /expected JSON/],
  ['a backslash at the end', '{"a\\', 'E_REQUEST_FORMAT', /expected JSON/],
  ['text behind the object', `${text()}x`, 'E_REQUEST_FORMAT', /expected JSON/],
  ['two objects', text() + text(), 'E_REQUEST_FORMAT', /expected JSON/],
  ['a comment', `/* */${text()}`, 'E_REQUEST_FORMAT', /expected JSON/],
  ['a trailing comma', withData('[1,2,3,4,5,6,]'), 'E_REQUEST_FORMAT', /expected JSON/],
  ['a byte order mark', `\ufeff${text()}`, 'E_REQUEST_FORMAT', /byte order mark/],
  ['UTF-16', Buffer.from(`\ufeff${text()}`, 'utf16le'), 'E_REQUEST_FORMAT', /not UTF-8/],
  ['a byte that is no UTF-8', Buffer.from('{"id":"\xff"}', 'latin1'), 'E_REQUEST_FORMAT', /not UTF-8/],
  ['a surrogate in UTF-8', Buffer.from('{"id":"\xed\xa0\x80"}', 'latin1'), 'E_REQUEST_FORMAT', /not UTF-8/],
  ['an overlong slash', Buffer.from('{"id":"\xc0\xaf"}', 'latin1'), 'E_REQUEST_FORMAT', /not UTF-8/],
  ['a key twice', `{"inputs":[],${text().slice(1)}`, 'E_REQUEST_FORMAT', /key "inputs" is there twice/],
  ['a key twice, escaped', `{"\\u0069nputs":[],${text().slice(1)}`, 'E_REQUEST_FORMAT', /key "inputs" is there twice/],
  [
    'a key of a tensor twice',
    text().replace('"name"', '"name":"z","name"'),
    'E_REQUEST_FORMAT',
    /"name" is there twice/,
  ],
  ['lists in lists 33 deep', '['.repeat(33), 'E_REQUEST_FORMAT', /deeper than 32/],
  ['a bomb of 10,000 lists', `{"inputs":${'['.repeat(1e4)}${']'.repeat(1e4)}}`, 'E_REQUEST_FORMAT', /deeper than 32/],
  ['a bomb of 10,000 objects', '{"a":'.repeat(1e4), 'E_REQUEST_FORMAT', /deeper than 32/],
  ['a bomb inside data', withData(`${'['.repeat(5e3)}1${']'.repeat(5e3)}`), 'E_REQUEST_FORMAT', /deeper than 32/],
  [
    'the key __proto__',
    text().replace('{', '{"__proto__":{"inputs":1},'),
    'E_REQUEST_UNKNOWN',
    /unknown key '__proto__'/,
  ],
  [
    '__proto__ in a tensor',
    text().replace('[{', '[{"__proto__":{"name":1},'),
    'E_REQUEST_UNKNOWN',
    /'__proto__' in input x/,
  ],
  ['the name __proto__', withX({ name: '__proto__' }), 'E_INPUT_NAME', /no input named '__proto__'/],
  ['the name constructor', withX({ name: 'constructor' }), 'E_INPUT_NAME', /no input named 'constructor'/],
  ['a lone surrogate as name', text().replace('"x"', '"\\ud800"'), 'E_INPUT_NAME', /no input named/],
];

const KEY_CASES: [string, string, ErrorCode, RegExp][] = [
  ['an unknown key', text({ input: [] }), 'E_REQUEST_UNKNOWN', /unknown key 'input' in the request/],
  ['another model', text({ model_name: 'n' }), 'E_REQUEST_FORMAT', /model_name: expected "m", found "n"/],
  ['a numeric id', text({ id: 5 }), 'E_REQUEST_FORMAT', /id: expected a string, found 5/],
  ['an id that is an object', text({ id: {} }), 'E_REQUEST_FORMAT', /id: expected a string, found an object/],
  [
    'parameters that are a text',
    text({ parameters: 'x' }),
    'E_REQUEST_FORMAT',
    /parameters of the request: .* found "x"/,
  ],
  ['parameters that are a list', text({ parameters: [] }), 'E_REQUEST_FORMAT', /found a list/],
  ['no inputs', '{}', 'E_REQUEST_FORMAT', /expected a list 'inputs', found nothing/],
  ['inputs that are null', '{"inputs":null}', 'E_REQUEST_FORMAT', /found null/],
  ['an input that is null', '{"inputs":[null]}', 'E_REQUEST_FORMAT', /inputs\[0\]: expected an object, found null/],
  ['an input that is a list', '{"inputs":[[]]}', 'E_REQUEST_FORMAT', /inputs\[0\]: expected an object, found a list/],
  [
    'an input without a name',
    withX({ name: undefined }),
    'E_INPUT_NAME',
    /no input named '\(nothing\)'; the model has x, ids/,
  ],
  ['a wrong name', withX({ name: 'z' }), 'E_INPUT_NAME', /no input named 'z'/],
  ['an input twice', text({ inputs: [X, X, IDS] }), 'E_REQUEST_FORMAT', /input x is there twice/],
  ['a missing input', text({ inputs: [IDS] }), 'E_INPUT_MISSING', /input x is missing; the model takes x, ids/],
  ['inputs that are empty', text({ inputs: [] }), 'E_INPUT_MISSING', /input x is missing/],
  ['an unknown key of an input', withX({ dtype: 'FP32' }), 'E_REQUEST_UNKNOWN', /unknown key 'dtype' in input x/],
  ['no datatype', withX({ datatype: undefined }), 'E_INPUT_TYPE', /expected FP32, found nothing/],
  ['another datatype', withX({ datatype: 'INT8' }), 'E_INPUT_TYPE', /expected FP32, found INT8/],
  [
    'BYTES',
    withX({ datatype: 'BYTES', data: ['a'] }),
    'E_INPUT_TYPE',
    /expected FP32, found BYTES, which no model of Hone has/,
  ],
  ...['FP64', 'BF16', 'INT16', 'UINT16', 'UINT32', 'UINT64'].map((datatype): [string, string, ErrorCode, RegExp] => [
    datatype,
    withX({ datatype }),
    'E_INPUT_TYPE',
    new RegExp(`expected FP32, found ${datatype}, which no model of Hone has`),
  ]),
  ['a datatype in small letters', withX({ datatype: 'fp32' }), 'E_INPUT_TYPE', /found "fp32"/],
  ['outputs that are a text', text({ outputs: 'y' }), 'E_REQUEST_FORMAT', /expected a list 'outputs', found "y"/],
  ['an output that is null', text({ outputs: [null] }), 'E_REQUEST_FORMAT', /outputs\[0\]: expected an object/],
  [
    'an unknown output',
    text({ outputs: [{ name: 'z' }] }),
    'E_OUTPUT_NAME',
    /no output named 'z'; the model has y, on/,
  ],
  [
    'an output twice',
    text({ outputs: [{ name: 'y' }, { name: 'y' }] }),
    'E_REQUEST_FORMAT',
    /output y is asked for twice/,
  ],
  [
    'an unknown key of an output',
    text({ outputs: [{ name: 'y', data: [] }] }),
    'E_REQUEST_UNKNOWN',
    /'data' in output y/,
  ],
];

const SHAPE_CASES: [string, string, ErrorCode, RegExp][] = [
  ...(
    [
      ['[]', '\\[\\]'],
      ['[1,2]', '\\[1,2\\]'],
      ['[1,2,3,1]', '\\[1,2,3,1\\]'],
      ['[1,3,2]', '\\[1,3,2\\]'],
      ['[2,2,3]', '\\[2,2,3\\]'],
      ['[1,2,-3]', '\\[1,2,-3\\]'],
      ['[-1,2,3]', '\\[-1,2,3\\]'],
      ['[1,2,3.5]', '\\[1,2,3.5\\]'],
      ['[2147483649,2,3]', '\\[2147483649,2,3\\]'],
      ['[18446744073709551617,2,3]', '\\[18446744073709552000,2,3\\]'],
      ['["1",2,3]', 'a list'],
      ['[[1],2,3]', 'a list'],
      ['[null,2,3]', 'a list'],
      ['null', 'null'],
      ['"1,2,3"', '"1,2,3"'],
      ['{"length":3}', 'an object'],
    ] as const
  ).map(([shape, shown]): [string, string, ErrorCode, RegExp] => [
    `shape ${shape}`,
    withX({ shape: '#' }).replace('"#"', shape),
    'E_INPUT_SHAPE',
    new RegExp(`expected shape \\[1,2,3\\], found ${shown}$`),
  ]),
  ['no shape', withX({ shape: undefined }), 'E_INPUT_SHAPE', /found nothing/],
];

const DATA_CASES: [string, string, ErrorCode, RegExp][] = [
  ['no data', withX({ data: undefined }), 'E_REQUEST_FORMAT', /expected a list 'data', found nothing/],
  ['data that is null', withX({ data: null }), 'E_REQUEST_FORMAT', /expected a list 'data', found null/],
  ['data that is a number', withX({ data: 5 }), 'E_REQUEST_FORMAT', /found 5/],
  ['data that is an object', withX({ data: { 0: 1, length: 6 } }), 'E_REQUEST_FORMAT', /found an object/],
  ['too few elements', withData('[1,2,3,4,5]'), 'E_INPUT_LENGTH', /expected 6 elements, found 5/],
  ['too many elements', withData('[1,2,3,4,5,6,7]'), 'E_INPUT_LENGTH', /expected 6 elements, found 7/],
  ['no elements', withData('[]'), 'E_INPUT_LENGTH', /expected 6 elements, found 0/],
  ...(
    [
      ['null', 'null'],
      ['true', 'true'],
      ['"1"', '"1"'],
      ['{}', 'an object'],
      ['[3]', 'a list'],
      ['1e39', '1e\\+39'],
      ['-1e39', '-1e\\+39'],
      ['1e400', 'Infinity'],
      ['3.4028235e38', '3.4028235e\\+38'],
    ] as const
  ).map(([element, shown]): [string, string, ErrorCode, RegExp] => [
    `an element ${element}`,
    withData(`[1,2,${element},4,5,6]`),
    'E_REQUEST_FORMAT',
    new RegExp(`input x: element 2 is not a value of FP32: ${shown}$`),
  ]),
  ...['NaN', 'Infinity', '-Infinity', '0x10', '1_0', '01', '+1', '.5', '1.', "'1'"].map(
    (element): [string, string, ErrorCode, RegExp] => [
      `an element ${element}, which JSON does not have`,
      withData(`[1,2,${element},4,5,6]`),
      'E_REQUEST_FORMAT',
      /expected JSON/,
    ],
  ),
  ...['9007199254740992', '9007199254740993', '-9007199254740993', '1e19', '0.5', 'true'].map(
    (element): [string, string, ErrorCode, RegExp] => [
      `INT64 ${element}`,
      text({ inputs: [X, { ...IDS, data: '#' }] }).replace('"#"', `[1,${element}]`),
      'E_REQUEST_FORMAT',
      /input ids: element 1 is not a value of INT64/,
    ],
  ),
  ...(
    [
      ['height, width, channels', '[[[1],[2],[3]],[[4],[5],[6]]]', '[2][3][1]'],
      ['without the axis of 1', '[[1,2,3],[4,5,6]]', '[2][3]'],
      ['axes swapped', '[[[1,2],[3,4],[5,6]]]', '[1][3][2]'],
      ['too shallow', '[[1,2,3,4,5,6]]', '[1][6]'],
      ['too deep', '[[[[1],[2],[3]],[[4],[5],[6]]]]', '[1][2][3][1]'],
      ['ragged', '[[[1,2,3],[4,5]]]', 'a list of 2 at data[0][1]'],
      ['ragged with as many elements', '[[[1,2,3],[4,5,6,7]]]', 'a list of 4 at data[0][1]'],
      ['ragged from the first list on', '[[[1,2],[3,4,5,6]]]', '[1][2][2]'],
      ['a number among lists', '[[[1,2,3],4]]', '4 at data[0][1]'],
      ['a list before numbers', '[[[1,2,3],[[4],5,6]]]', 'a list of lists at data[0][1]'],
      ['a list among flat numbers', '[[1]]', '[1][1]'],
      ['an empty list', '[[[1,2,3],[]]]', 'a list of 0 at data[0][1]'],
      ['empty lists', '[[]]', '[1][0]'],
      ['null among lists', '[[[1,2,3],null]]', 'null at data[0][1]'],
    ] as const
  ).map(([what, data, shown]): [string, string, ErrorCode, RegExp] => [
    `lists ${what}`,
    withData(data),
    'E_INPUT_NESTING',
    new RegExp(
      `input x: expected data flat or nested as \\[1\\]\\[2\\]\\[3\\], as the shape \\[1,2,3\\] says, found ${shown.replace(/[[\]]/g, '\\$&')}$`,
    ),
  ]),
  [
    'lists of one number where only an element is wrong',
    withData('[[[1,2,3],[4,"5",6]]]'),
    'E_REQUEST_FORMAT',
    /element 4 .*"5"/,
  ],
];

const request = (parameters: object): string => text({ parameters });
const ofX = (parameters: object): string => withX({ parameters });
const ofY = (parameters: object, name = 'y'): string => text({ outputs: [{ name, parameters }] });
const PARAMETER_CASES: [string, string, ErrorCode, RegExp][] = [
  ['an unknown one', request({ foo: 1 }), 'E_REQUEST_UNKNOWN', /unknown parameter 'foo' in the request$/],
  ['a misspelled one', request({ timout: 1 }), 'E_REQUEST_UNKNOWN', /unknown parameter 'timout'/],
  [
    'one of an output at the request',
    request({ classification: 1 }),
    'E_REQUEST_UNKNOWN',
    /'classification' in the request/,
  ],
  ['a name of Object.prototype', request({ toString: 1 }), 'E_REQUEST_UNKNOWN', /'toString'/],
  ['an unknown one of an input', ofX({ content_type: 'np' }), 'E_REQUEST_UNKNOWN', /'content_type' in input x/],
  ['an unknown one of an output', ofY({ class_count: 1 }), 'E_REQUEST_UNKNOWN', /'class_count' in output y/],
  ['binary_data_output 1', request({ binary_data_output: 1 }), 'E_REQUEST_FORMAT', /expected true or false, found 1/],
  ['binary_data "true"', ofY({ binary_data: 'true' }), 'E_REQUEST_FORMAT', /binary_data of output y: .* found "true"/],
  [
    'priority 4',
    request({ priority: 4 }),
    'E_REQUEST_FORMAT',
    /priority of the request: expected a whole number from 0 to 3, found 4/,
  ],
  ['priority -1', request({ priority: -1 }), 'E_REQUEST_FORMAT', /from 0 to 3, found -1/],
  ['priority 1.5', request({ priority: 1.5 }), 'E_REQUEST_FORMAT', /found 1.5/],
  ['priority "high"', request({ priority: 'high' }), 'E_REQUEST_FORMAT', /found "high"/],
  ['priority true', request({ priority: true }), 'E_REQUEST_FORMAT', /found true/],
  ['timeout -1', request({ timeout: -1 }), 'E_REQUEST_FORMAT', /timeout of the request: .* at least 0, found -1/],
  ['timeout 0.5', request({ timeout: 0.5 }), 'E_REQUEST_FORMAT', /found 0.5/],
  ['timeout 1e30', request({ timeout: 1e30 }), 'E_REQUEST_FORMAT', /found 1e\+30/],
  ['timeout "5s"', request({ timeout: '5s' }), 'E_REQUEST_FORMAT', /found "5s"/],
  [
    'sequence_id 5',
    request({ sequence_id: 5 }),
    'E_REQUEST_UNSERVED',
    /sequence_id of the request is not served: requests of one sequence/,
  ],
  ['sequence_id "a"', request({ sequence_id: 'a' }), 'E_REQUEST_UNSERVED', /sequence_id/],
  ['sequence_start', request({ sequence_start: true }), 'E_REQUEST_UNSERVED', /sequence_start/],
  ['sequence_end', request({ sequence_end: true }), 'E_REQUEST_UNSERVED', /sequence_end/],
  [
    'an input in shared memory',
    ofX({ shared_memory_region: 'r', shared_memory_byte_size: 24 }),
    'E_REQUEST_UNSERVED',
    /shared_memory_region of input x is not served/,
  ],
  [
    'an output in shared memory',
    ofY({ shared_memory_region: 'r' }),
    'E_REQUEST_UNSERVED',
    /shared_memory_region of output y/,
  ],
  ['an offset in shared memory', ofX({ shared_memory_offset: 8 }), 'E_REQUEST_UNSERVED', /shared_memory_offset/],
  ['classification -1', ofY({ classification: -1 }), 'E_REQUEST_FORMAT', /at least 0, found -1/],
  ['classification true', ofY({ classification: true }), 'E_REQUEST_FORMAT', /found true/],
  [
    'classification of BOOL',
    ofY({ classification: 1 }, 'on'),
    'E_REQUEST_UNSERVED',
    /classification of output on .* BOOL/,
  ],
  [
    'binary_data_size without the HTTP header',
    withX({ data: undefined, parameters: { binary_data_size: 24 } }),
    'E_REQUEST_FORMAT',
    /Inference-Header-Content-Length is missing/,
  ],
  ['data and binary_data_size', ofX({ binary_data_size: 24 }), 'E_REQUEST_FORMAT', /both 'data' and binary_data_size/],
];

test.each([...JSON_CASES, ...KEY_CASES, ...SHAPE_CASES, ...DATA_CASES])('%s', (_, body, code, message) => {
  const error = refusal(typeof body === 'string' ? utf8(body) : body);
  expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)]);
});

test.each(PARAMETER_CASES)('parameter: %s', (_, body, code, message) => {
  const error = refusal(utf8(body));
  expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)]);
});

test.each([
  ['timout', /Did you mean 'timeout'/],
  ['binary_data', /Did you mean 'binary_data_output'/],
  ['foo', /Known: binary_data_output, priority, timeout/],
])('for the parameter %s there is advice', (name, hint) => {
  expect(refusal(utf8(request({ [name]: 1 }))).hint).toMatch(hint);
});

const SIZES: [size: string, message: RegExp][] = [
  ['20', /^input x: expected 6 elements, found 5$/],
  ['28', /^input x: expected 6 elements, found 7$/],
  ['23', /^input x: expected 6 elements, found 23 bytes$/],
  ['0', /^input x: expected 6 elements, found 0$/],
  ['-24', /binary_data_size of input x: expected a whole number of at least 0, found -24/],
  ['24.5', /found 24.5/],
  ['"24"', /found "24"/],
  ['true', /found true/],
  ['null', /expected a list 'data', found nothing/],
  ['1e9', /binary_data_size of input x is 1000000000; 40 bytes are left of the body/],
  ['4294967320', /is 4294967320; 40 bytes are left/],
  ['9007199254740993', /expected a whole number of at least 0, found 9007199254740992/],
];
test.each(SIZES)('binary_data_size %s', (size, message) => {
  expect(refusal(...binary(size)).message).toMatch(message);
});

test.each([
  ['a body cut short', 39, /binary_data_size of input ids is 16; 15 bytes are left of the body/],
  ['no bytes at all', 0, /binary_data_size of input x is 24; 0 bytes are left of the body/],
  ['one byte more', 41, /1 bytes after the last tensor/],
])('%s', (_, bytes, message) => {
  expect(refusal(...binary('24', bytes)).message).toMatch(message);
});

const [BODY] = binary();
test.each([
  ...['-1', '+1', '0x10', '1e2', '012', '00', ' 7', '7 ', '', 'abc', '1.0', '1,2', '1, 2', '٣', '99999999999'],
  ...['1'.repeat(400), String(BODY.length + 1)],
])("the header length '%s'", (header) => {
  expect(refusal(BODY, header).message).toMatch(/Inference-Header-Content-Length: expected the length of the JSON/);
});

test.each([
  ['0', /found no bytes/],
  ['1', /expected JSON/],
  [String(BODY.length), /expected JSON|not UTF-8/],
])('the header length %s, which is not that of the JSON', (header, message) => {
  expect(refusal(BODY, header).message).toMatch(message);
});

test('bytes of BOOL are 0 and 1', () => {
  const model: ModelPorts = { name: 'm', inputs: [spec('b', 'BOOL', [3])], outputs: [] };
  const json = utf8('{"inputs":[{"name":"b","datatype":"BOOL","shape":[3],"parameters":{"binary_data_size":3}}]}');
  const error = refusal(Buffer.concat([json, Uint8Array.of(1, 0, 2)]), String(json.length), model);
  expect(error.message).toMatch(/input b: element 2 is not a value of BOOL: byte 2/);
});

describe('rows', () => {
  const model: ModelPorts = {
    name: 'm',
    inputs: [spec('a', 'INT32', [-1, 2]), spec('b', 'INT32', [1])],
    outputs: [spec('y', 'INT32', [-1])],
    batch: 3,
  };
  const rows = (a: number, b: number): Uint8Array =>
    utf8(
      JSON.stringify({
        inputs: [
          { name: 'a', datatype: 'INT32', shape: [a, 2], data: Array(2 * Math.max(a, 0)).fill(1) },
          { name: 'b', datatype: 'INT32', shape: [b], data: Array(Math.max(b, 0)).fill(1) },
        ],
      }),
    );

  test.each([1, 2, 3])('%d of them', (count) => {
    const { rows: found, inputs } = parseInferRequest(rows(count, count), undefined, model);
    expect([found, inputs[0].length, inputs[1].length]).toEqual([count, 2 * count, count]);
  });

  test.each([
    [0, 0, /input a: expected shape \[1\.\.3,2\], found \[0,2\]/],
    [4, 4, /input a: expected shape \[1\.\.3,2\], found \[4,2\]/],
    [-1, -1, /input a: expected shape \[1\.\.3,2\], found \[-1,2\]/],
    [2, 3, /input b: expected shape \[2\], found \[3\]/],
    [3, 1, /input b: expected shape \[3\], found \[1\]/],
  ])('%d and %d are refused', (a, b, message) => {
    const error = refusal(rows(a, b), undefined, model);
    expect([error.code, error.message]).toEqual(['E_INPUT_SHAPE', expect.stringMatching(message)]);
  });

  test('a model of one row', () => {
    const one = { ...model, batch: 1 };
    expect(parseInferRequest(rows(1, 1), undefined, one).rows).toBe(1);
    expect(refusal(rows(2, 2), undefined, one).message).toMatch(/expected shape \[1,2\], found \[2,2\]/);
  });

  test('elements are those of the rows', () => {
    const text = new TextDecoder().decode(rows(2, 2)).replace('[1,1,1,1]', '[1,1]');
    expect(refusal(utf8(text), undefined, model).message).toMatch(/input a: expected 4 elements, found 2/);
  });
});
