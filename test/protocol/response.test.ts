import type { Datatype } from '../../lib/core/datatype';
import { HoneError } from '../../lib/core/error';
import { bytesOfStrings, stringsFromBytes } from '../../lib/protocol/binary-elements';
import type { WantedOutput } from '../../lib/protocol/infer-request';
import { readInferResponse } from '../../lib/protocol/read-infer-response';
import type { TensorData } from '../../lib/protocol/tensor';
import { writeInferRequest } from '../../lib/protocol/write-infer-request';
import { writeInferResponse } from '../../lib/protocol/write-infer-response';
import { joined, spec, utf8 } from './model';

/** What is written for one output. */
function written(
  datatype: Datatype,
  shape: readonly number[],
  data: TensorData,
  wanted: Omit<WantedOutput, 'index'>,
  labels?: readonly string[],
) {
  const request = { id: undefined, outputs: [{ index: 0, ...wanted }] };
  return writeInferResponse(
    { name: 'm', version: '1' },
    request,
    [spec('y', datatype, shape)],
    [{ shape, data }],
    [labels],
  );
}

/** The JSON of a response, with the bytes of each binary output behind it. */
function parts({ chunks }: { chunks: readonly Uint8Array[] }): [text: string, ...blobs: Uint8Array[]] {
  const [json, ...blobs] = chunks;
  return [new TextDecoder().decode(json), ...blobs];
}

function thrown(work: () => unknown): HoneError {
  try {
    work();
  } catch (error) {
    if (error instanceof HoneError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

test('the text of a response', () => {
  const [text, ...blobs] = parts(written('FP32', [1, 3], Float32Array.of(0.5, -0, 2 ** 40), { binary: false }));
  expect(text).toBe(
    '{"model_name":"m","model_version":"1","outputs":[{"name":"y","datatype":"FP32","shape":[1,3],"data":[0.5,-0.0,1099511627776]}]}',
  );
  expect(blobs).toEqual([]);
});

test.each([undefined, '', '"quotes" \u2028', '\ud800'])('the id %j comes back as it is', (id) => {
  const { chunks } = writeInferResponse({ name: 'm', version: '1' }, { id, outputs: [] }, [], []);
  expect(JSON.parse(new TextDecoder().decode(chunks[0])).id).toBe(id);
});

test('INT64 has all its digits in JSON', () => {
  const data = BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n), 9007199254740993n);
  const [text] = parts(written('INT64', [3], data, { binary: false }));
  expect(text).toContain('"data":[9223372036854775807,-9223372036854775808,9007199254740993]');
  const error = thrown(() => readInferResponse(utf8(text), undefined));
  expect(error).toMatchObject({
    code: 'E_RESPONSE_FORMAT',
    message: expect.stringMatching(/INT64.*ask for binary_data/),
  });
});

test('binary outputs are views, in the order in which they were asked for', () => {
  const [a, b] = [Float32Array.of(1, 2), Int8Array.of(-1)];
  const specs = [spec('a', 'FP32', [2]), spec('b', 'INT8', [1])];
  const outputs = [
    { index: 1, binary: true },
    { index: 0, binary: true },
  ];
  const given = [
    { shape: [2], data: a },
    { shape: [1], data: b },
  ];
  const { chunks, length, headerLength } = writeInferResponse(
    { name: 'm', version: '1' },
    { id: undefined, outputs },
    specs,
    given,
  );
  expect(chunks.slice(1).map(({ buffer, length: size }) => [buffer, size])).toEqual([
    [b.buffer, 1],
    [a.buffer, 8],
  ]);
  expect([length, headerLength]).toEqual([chunks[0].length + 9, chunks[0].length]);
});

const HALF_NAN = 0x7e00;
const HALF_INFINITY = 0xfc00;
test.each<[Datatype, TensorData, number]>([
  ['FP32', Float32Array.of(1, Number.NaN, 2), 1],
  ['FP32', Float32Array.of(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2), 2],
  ['FP16', Uint16Array.of(HALF_NAN, HALF_INFINITY, 0x7bff), 2],
])('%s that is not finite: an error in JSON and for classes, counted bits in binary', (datatype, data, count) => {
  for (const wanted of [{ binary: false }, { binary: true, classification: 1 }, { binary: false, classification: 1 }])
    expect(thrown(() => written(datatype, [3], data, wanted))).toMatchObject({
      code: 'E_OUTPUT_NOT_FINITE',
      message: expect.stringMatching(new RegExp(`^output y: ${count} element`)),
    });
  const response = written(datatype, [3], data, { binary: true });
  expect(response.nonFinite).toBe(count);
  const read = readInferResponse(joined(response.chunks), String(response.headerLength)).outputs[0];
  expect(read.data).toEqual(data);
});

test('what is finite is not counted', () => {
  for (const [datatype, data] of [
    ['FP32', Float32Array.of(3.4028234663852886e38, -0)],
    ['FP16', Uint16Array.of(0x7bff, 0xfbff)],
    ['INT64', BigInt64Array.of(1n, 2n)],
    ['UINT8', Uint8Array.of(255, 0)],
  ] as const)
    expect(written(datatype, [2], data, { binary: true }).nonFinite).toBe(0);
});

test('NaN cannot be sent in JSON', () => {
  const tensor = { ...spec('x', 'FP32', [1]), data: Float32Array.of(Number.NaN) };
  expect(thrown(() => writeInferRequest([tensor], { binary: false }))).toMatchObject({ code: 'E_INPUT_NOT_FINITE' });
});

test('too many elements for one text', () => {
  const data = new Uint8Array(2 ** 24 + 1);
  expect(thrown(() => written('UINT8', [data.length], data, { binary: false }))).toMatchObject({
    code: 'E_REQUEST_UNSERVED',
    message: expect.stringMatching(/output y in JSON.*16777216.*binary_data/),
  });
  expect(written('UINT8', [data.length], data, { binary: true }).length).toBeGreaterThan(data.length);
});

const SCORES = Float32Array.of(0.1, 0.7, 0.2, 0.7);
test.each<[string, Datatype, number[], TensorData, number, number[], string[], string[]?]>([
  ['the best two, ties to the lower index', 'FP32', [1, 4], SCORES, 2, [1, 2], ['0.700000:1', '0.700000:3']],
  ['with labels', 'FP32', [1, 4], SCORES, 3, [1, 3], ['0.700000:1:b', '0.700000:3', '0.200000:2:c'], ['a', 'b', 'c']],
  ['more than there are', 'FP32', [1, 4], SCORES, 9, [1, 4], ['0.700000:1', '0.700000:3', '0.200000:2', '0.100000:0']],
  ['for each row', 'FP32', [2, 2], SCORES, 1, [2, 1], ['0.700000:1', '0.700000:1']],
  ['for each place', 'INT32', [1, 2, 2], Int32Array.of(5, 6, -1, -2), 1, [1, 2, 1], ['6:1', '-1:0']],
  ['axes of 1 behind the classes', 'FP32', [1, 4, 1, 1], SCORES, 1, [1, 1], ['0.700000:1']],
  ['one class', 'FP32', [3, 1], Float32Array.of(1, 2, 3), 1, [3, 1], ['1.000000:0', '2.000000:0', '3.000000:0']],
  ['a vector', 'FP32', [4], SCORES, 1, [1], ['0.700000:1']],
  ['a scalar', 'FP32', [], Float32Array.of(2), 1, [1], ['2.000000:0']],
  ['no classes', 'FP32', [2, 0], new Float32Array(0), 1, [2, 0], []],
  ['no rows', 'FP32', [0, 4], new Float32Array(0), 2, [0, 2], []],
  ['-0 beside 0', 'FP32', [1, 2], Float32Array.of(-0, 0), 2, [1, 2], ['0.000000:0', '0.000000:1']],
  ['a large number', 'FP32', [1, 1], Float32Array.of(2 ** 100), 1, [1, 1], [`${2n ** 100n}.000000:0`]],
  ['INT64', 'INT64', [2], BigInt64Array.of(2n ** 62n, 2n ** 62n + 1n), 1, [1], [`${2n ** 62n + 1n}:1`]],
  ['ties for the last place', 'INT8', [4], Int8Array.of(2, 3, 2, 2), 2, [2], ['3:1', '2:0']],
  ['UINT8', 'UINT8', [3], Uint8Array.of(1, 255, 7), 2, [2], ['255:1', '7:2']],
  ['FP16', 'FP16', [2], Uint16Array.of(0x3800, 0x3c00), 1, [1], ['1.000000:1']],
  ['text beyond ASCII', 'INT8', [2], Int8Array.of(-3, -4), 1, [1], ['-3:0:größer "é"'], ['größer "é"']],
])('classes: %s', (_, ...row) => {
  // Not as parameters: a row without labels would leave one over, which Jest takes for a callback to wait for.
  const [datatype, shape, data, classification, expectedShape, texts, labels] = row;
  for (const binary of [false, true]) {
    const { chunks, headerLength, nonFinite } = written(datatype, shape, data, { binary, classification }, labels);
    expect([chunks.length, nonFinite]).toEqual([binary ? 2 : 1, 0]);
    const [output] = readInferResponse(joined(chunks), headerLength?.toString()).outputs;
    expect(output).toEqual({ name: 'y', datatype: 'BYTES', shape: expectedShape, data: texts });
  }
});

test('elements that were read have memory of their own', () => {
  const { chunks, headerLength } = written('UINT8', [2], Uint8Array.of(1, 2), { binary: true });
  const [{ data }] = readInferResponse(joined(chunks), String(headerLength)).outputs;
  expect((data as TensorData).buffer.byteLength).toBe(2);
});

test('texts are read with the mark that they begin with', () => {
  expect(stringsFromBytes(bytesOfStrings(['\ufeffa', '', 'b']))).toEqual(['\ufeffa', '', 'b']);
});

test('too many classes', () => {
  const data = new Uint8Array(2 ** 16 + 2);
  const wanted = { binary: true, classification: Number.MAX_SAFE_INTEGER };
  expect(thrown(() => written('UINT8', [2, data.length / 2], data, wanted))).toMatchObject({
    code: 'E_REQUEST_UNSERVED',
    message: expect.stringMatching(/classification of output y .* 65538 classes; an output gives 65536 at most/),
  });
  expect(written('UINT8', [2, 2 ** 15], data.subarray(2), wanted).length).toBeGreaterThan(2 ** 16 * 8);
});

test('the bytes of classes are lengths and UTF-8', () => {
  const [, blob] = parts(written('INT8', [2], Int8Array.of(1, 2), { binary: true, classification: 1 }, ['a', 'é']));
  expect(Array.from(blob)).toEqual([6, 0, 0, 0, ...Buffer.from('2:1:é')]);
});

describe('what is no response', () => {
  const output = (changes: object): string =>
    JSON.stringify({ outputs: [{ name: 'y', datatype: 'FP32', shape: [2], data: [1, 2], ...changes }] });
  const cases: [string, string, RegExp][] = [
    ['no JSON', '<html>', /expected JSON/],
    ['no outputs', '{"error":"no"}', /expected a list 'outputs', found nothing/],
    ['an output that is null', '{"outputs":[null]}', /outputs\[0\]: expected an object/],
    ['no name', output({ name: 1 }), /outputs\[0\]: expected a name, found 1/],
    ['a model name that is none', '{"model_name":1,"outputs":[]}', /model_name: expected a string/],
    ['an id that is a number', '{"id":1,"outputs":[]}', /id: expected a string/],
    ['no shape', output({ shape: undefined }), /output y: expected a shape/],
    ['a negative extent', output({ shape: [-2] }), /output y: expected a shape/],
    ['an unknown datatype', output({ datatype: 'FP8' }), /output y: its datatype is "FP8"/],
    ['too few elements', output({ data: [1] }), /output y: expected 2 elements, found 1/],
    ['no data', output({ data: undefined }), /output y: expected a list 'data', found nothing/],
    ['null for NaN', output({ data: [1, null] }), /output y: element 1 is not a value of FP32: null/],
    ['a nesting of another shape', output({ data: [[1, 2]] }), /nested as \[2\] for shape \[2\], found \[1\]\[2\]/],
    ['texts that are numbers', output({ datatype: 'BYTES' }), /output y: its elements are no texts/],
    ['too few texts', output({ datatype: 'BYTES', data: ['a'] }), /output y: expected 2 elements, found 1/],
    ['binary data that nothing announces', output({ parameters: { binary_data_size: 8 } }), /is missing/],
    ['a size that is none', output({ parameters: { binary_data_size: '8' } }), /binary_data_size: expected a whole/],
  ];
  test.each(cases)('%s', (_, text, message) => {
    expect(thrown(() => readInferResponse(utf8(text), undefined))).toMatchObject({
      code: 'E_RESPONSE_FORMAT',
      message: expect.stringMatching(message),
    });
  });

  const binary = (datatype: string, size: number): string =>
    `{"outputs":[{"name":"y","datatype":"${datatype}","shape":[2],"parameters":{"binary_data_size":${size}}}]}`;
  test.each<[string, string, number[], RegExp]>([
    ['elements', 'FP32', [1, 2, 3, 4], /expected 2 elements, found 4 bytes/],
    ['half an element', 'FP32', [1, 2, 3, 4, 5, 6, 7], /expected 2 elements, found 7 bytes/],
    ['half a length', 'BYTES', [1, 0, 0], /no texts/],
    ['a text that is longer than the bytes', 'BYTES', [200, 0, 0, 0, 65], /no texts/],
    ['a text that is no UTF-8', 'BYTES', [1, 0, 0, 0, 255], /no texts/],
    ['one text', 'BYTES', [1, 0, 0, 0, 65], /expected 2 elements, found 1/],
  ])('%s in binary', (_, datatype, bytes, message) => {
    const json = utf8(binary(datatype, bytes.length));
    const body = joined([json, Uint8Array.from(bytes)]);
    expect(thrown(() => readInferResponse(body, String(json.length))).message).toMatch(message);
    expect(thrown(() => readInferResponse(body.subarray(0, -1), String(json.length))).message).toMatch(/are left/);
  });
});
