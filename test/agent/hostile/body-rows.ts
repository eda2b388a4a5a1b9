import { binaryRequest, jsonRequest, jsonRequestWith } from '../served';
import { post, type Row } from './rows';

/** Name, body, the code of the refusal; undefined: it is taken. */
type Case = readonly [name: string, body: Uint8Array | string, code?: string];

/** A request whose input `a` has this text as its data, shape or anything else. */
const withText = (key: string, text: string) => jsonRequestWith({ [key]: '@' }).replace(/"@"/, () => text);
const data = (text: string) => withText('data', text);
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

const DOCUMENTS: readonly Case[] = [
  ['nothing', '', 'E_REQUEST_FORMAT'],
  ['null', 'null', 'E_REQUEST_FORMAT'],
  ['a list', '[]', 'E_REQUEST_FORMAT'],
  ['a number', '1', 'E_REQUEST_FORMAT'],
  ['a text', '"x"', 'E_REQUEST_FORMAT'],
  ['an object without inputs', '{}', 'E_REQUEST_FORMAT'],
  ['JSON that breaks off', jsonRequest().slice(0, -1), 'E_REQUEST_FORMAT'],
  ['text behind the object', `${jsonRequest()}x`, 'E_REQUEST_FORMAT'],
  ['two objects', `${jsonRequest()}${jsonRequest()}`, 'E_REQUEST_FORMAT'],
  ['a comma at the end', jsonRequest().replace(/}$/, ',}'), 'E_REQUEST_FORMAT'],
  ['a comment', `/* */${jsonRequest()}`, 'E_REQUEST_FORMAT'],
  ['single quotes', jsonRequest().replaceAll('"', "'"), 'E_REQUEST_FORMAT'],
  ['spaces around the object', `\r\n\t ${jsonRequest()} \n`],
  ['a byte order mark', `\uFEFF${jsonRequest()}`, 'E_REQUEST_FORMAT'],
  ['UTF-16', Buffer.from(jsonRequest(), 'utf16le'), 'E_REQUEST_FORMAT'],
  ['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), 'E_REQUEST_FORMAT'],
  [
    'a lone surrogate in UTF-8',
    Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d]),
    'E_REQUEST_FORMAT',
  ],
  ['zero bytes', Buffer.alloc(1000), 'E_REQUEST_FORMAT'],
  ['lists 30,000 deep', nested(30_000), 'E_REQUEST_FORMAT'],
  ['objects 5,000 deep', '{"a":'.repeat(5000), 'E_REQUEST_FORMAT'],
  ['data 20,000 deep', data(nested(20_000)), 'E_REQUEST_FORMAT'],
  ['60,000 quotes', '"'.repeat(60_000), 'E_REQUEST_FORMAT'],
  ['60,000 commas', `{"inputs":[${','.repeat(60_000)}]}`, 'E_REQUEST_FORMAT'],
];

const KEYS: readonly Case[] = [
  ['inputs twice', jsonRequest().replace('{', '{"inputs":[],'), 'E_REQUEST_FORMAT'],
  ['data twice', data('[1,2,3,4],"data":[1,2,3,4]'), 'E_REQUEST_FORMAT'],
  ['a key twice, once in escapes', jsonRequest().replace('{', '{"\\u0069nputs":[],'), 'E_REQUEST_FORMAT'],
  ['an input twice', jsonRequestWith({ name: 'b' }), 'E_REQUEST_FORMAT'],
  ['a prototype', jsonRequest().replace('{', '{"__proto__":{"x":1},'), 'E_REQUEST_UNKNOWN'],
  ['an unknown key', jsonRequest({ input: [] }), 'E_REQUEST_UNKNOWN'],
  ['an unknown key of an input', jsonRequestWith({ dtype: 'FP32' }), 'E_REQUEST_UNKNOWN'],
  ['an unknown parameter', jsonRequest({ parameters: { tiemout: 1 } }), 'E_REQUEST_UNKNOWN'],
  ['parameters that are text', jsonRequest({ parameters: 'x' }), 'E_REQUEST_FORMAT'],
  ['parameters that are a list', jsonRequest({ parameters: [] }), 'E_REQUEST_FORMAT'],
  ['a timeout below 0', jsonRequest({ parameters: { timeout: -1 } }), 'E_REQUEST_FORMAT'],
  ['a timeout with a fraction', jsonRequest({ parameters: { timeout: 1.5 } }), 'E_REQUEST_FORMAT'],
  ['a timeout that is text', jsonRequest({ parameters: { timeout: '1' } }), 'E_REQUEST_FORMAT'],
  ['a timeout of 2^53 - 1', jsonRequest({ parameters: { timeout: Number.MAX_SAFE_INTEGER } })],
  ['a priority of 4', jsonRequest({ parameters: { priority: 4 } }), 'E_REQUEST_FORMAT'],
  ['a sequence', jsonRequest({ parameters: { sequence_id: 7 } }), 'E_REQUEST_UNSERVED'],
  ['shared memory', jsonRequestWith({ parameters: { shared_memory_region: 'x' } }), 'E_REQUEST_UNSERVED'],
  ['a size without a header length', jsonRequestWith({ parameters: { binary_data_size: 5 } }), 'E_REQUEST_FORMAT'],
  ['a number as id', jsonRequest({ id: 5 }), 'E_REQUEST_FORMAT'],
  ['an object as id', jsonRequest({ id: {} }), 'E_REQUEST_FORMAT'],
  ['an empty id', jsonRequest({ id: '' })],
  ['another model name', jsonRequest({ model_name: 'x' }), 'E_REQUEST_FORMAT'],
  ['inputs that are null', jsonRequest({ inputs: null }), 'E_REQUEST_FORMAT'],
  ['an input that is null', jsonRequest({ inputs: [null] }), 'E_REQUEST_FORMAT'],
  ['inputs that are an object', jsonRequest({ inputs: { length: 2 } }), 'E_REQUEST_FORMAT'],
  ['no input', jsonRequest({ inputs: [] }), 'E_INPUT_MISSING'],
  ['one input too many', jsonRequestWith({ name: 'c' }), 'E_INPUT_NAME'],
  ['a name that is a number', jsonRequestWith({ name: 1 }), 'E_INPUT_NAME'],
  ['a name of the language', jsonRequestWith({ name: '__proto__' }), 'E_INPUT_NAME'],
  ['a name of odd characters', withText('name', '"\\ud800\\u0000\\u65e5"'), 'E_INPUT_NAME'],
  ['outputs that are null', jsonRequest({ outputs: null })],
  ['outputs that are empty', jsonRequest({ outputs: [] })],
  ['an output that is null', jsonRequest({ outputs: [null] }), 'E_REQUEST_FORMAT'],
  ['an output that is not there', jsonRequest({ outputs: [{ name: 'toString' }] }), 'E_OUTPUT_NAME'],
  ['an output twice', jsonRequest({ outputs: [{ name: 'y' }, { name: 'y' }] }), 'E_REQUEST_FORMAT'],
];

const NUMBERS: readonly Case[] = [
  ...['NaN', 'Infinity', '-Infinity', '0x10', '1_0', '01', '+1', '.5', '1.', '1e', '--1', 'True'].map(
    (text): Case => [`element ${text}`, data(`[${text},2,3,4]`), 'E_REQUEST_FORMAT'],
  ),
  ...['1e400', '-1e400', '1e39', '-3.5e38', 'null', 'true', '"1"', '{}'].map(
    (text): Case => [`element ${text}`, data(`[${text},2,3,4]`), 'E_REQUEST_FORMAT'],
  ),
  ...['1e-400', '-0', '9007199254740993', '3.4028234663852886e38', `0.${'1'.repeat(10_000)}`, `${'1'.repeat(30)}`].map(
    (text): Case => [`element ${text.slice(0, 40)}`, data(`[${text},2,3,4]`)],
  ),
];

const SHAPES: readonly Case[] = [
  ...[
    ...[
      '[1,-4]',
      '[0]',
      '[]',
      '[1,0]',
      '[4]',
      '[4,1]',
      '[1,4,1]',
      '[2,2]',
      '["1",4]',
      '[1,"4"]',
      '[1,4.5]',
      '[1,null]',
    ],
    ...[
      'null',
      '4',
      '"1,4"',
      '{"length":2}',
      '[[1,4]]',
      '[2147483648,4]',
      '[9007199254740992,1]',
      '[18446744073709551616]',
      '[1,1e400]',
    ],
  ].map((text): Case => [`shape ${text}`, withText('shape', text), 'E_INPUT_SHAPE']),
  ['shape [1.0,4e0]', withText('shape', '[1.0,4e0]')],
  ['no shape', jsonRequestWith({ shape: undefined }), 'E_INPUT_SHAPE'],
  ...['INT8', 'FP64', 'BYTES', 'fp32', 'float32', ''].map(
    (datatype): Case => [`datatype '${datatype}'`, jsonRequestWith({ datatype }), 'E_INPUT_TYPE'],
  ),
  ['a datatype that is null', jsonRequestWith({ datatype: null }), 'E_INPUT_TYPE'],
  ['data as the shape says', data('[[1,2,3,4]]')],
  ['data transposed', data('[[1],[2],[3],[4]]'), 'E_INPUT_NESTING'],
  ['data in two rows', data('[[1,2],[3,4]]'), 'E_INPUT_NESTING'],
  ['ragged data', data('[[1,2,3],[4]]'), 'E_INPUT_NESTING'],
  ['data too deep', data('[[[1,2,3,4]]]'), 'E_INPUT_NESTING'],
  ['a list among numbers', data('[1,[2],3,4]'), 'E_REQUEST_FORMAT'],
  ['too few elements', data('[1,2,3]'), 'E_INPUT_LENGTH'],
  ['too many elements', data('[1,2,3,4,5]'), 'E_INPUT_LENGTH'],
  ['no elements', data('[]'), 'E_INPUT_LENGTH'],
  ['no data', jsonRequestWith({ data: undefined }), 'E_REQUEST_FORMAT'],
  ['data that is text', data('"AAAA"'), 'E_REQUEST_FORMAT'],
  ['data that is an object', data('{"0":1}'), 'E_REQUEST_FORMAT'],
];

/** The binary form, by what its second tensor says of its size. */
const SIZES: readonly [name: string, size: unknown, code?: string][] = [
  ['16', 16],
  ['15', 15, 'E_INPUT_LENGTH'],
  ['17', 17, 'E_REQUEST_FORMAT'],
  ['0', 0, 'E_INPUT_LENGTH'],
  ['-1', -1, 'E_REQUEST_FORMAT'],
  ['16.5', 16.5, 'E_REQUEST_FORMAT'],
  ['1e9', 1e9, 'E_REQUEST_FORMAT'],
  ['2^32 + 16', 2 ** 32 + 16, 'E_REQUEST_FORMAT'],
  ['2^53', 2 ** 53, 'E_REQUEST_FORMAT'],
  ['null', null, 'E_REQUEST_FORMAT'],
  ['"16"', '16', 'E_REQUEST_FORMAT'],
  ['true', true, 'E_REQUEST_FORMAT'],
  ['[16]', [16], 'E_REQUEST_FORMAT'],
];

function binary(size: unknown, tail = 0, cut = 0): Buffer {
  const { headers, body } = binaryRequest({}, [16, size as number], Buffer.alloc(tail));
  const fields = Object.entries(headers as Record<string, string>).map(([name, value]) => `${name}: ${value}\r\n`);
  return post((body as Buffer).subarray(0, body.length - cut), fields.join(''));
}

const row = (name: string, bytes: Uint8Array, code: string | undefined): Row => ({
  ...{ name, bytes, status: code === undefined ? 200 : 400, after: 'open' },
  ...(code === undefined ? {} : { code }),
});

/** Documents, keys, numbers, shapes and sizes of requests, right and wrong. */
export const BODY_ROWS: readonly Row[] = [
  ...[...DOCUMENTS, ...KEYS, ...NUMBERS, ...SHAPES].map(([name, body, code]) => row(name, post(body), code)),
  ...SIZES.map(([name, size, code]) => row(`a tensor of ${name} bytes`, binary(size), code)),
  row('bytes behind the last tensor', binary(16, 3), 'E_REQUEST_FORMAT'),
  row('a last tensor cut short', binary(16, 0, 1), 'E_REQUEST_FORMAT'),
];
