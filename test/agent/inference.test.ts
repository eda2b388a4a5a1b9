import fc from 'fast-check';
import type { Agent } from '../../lib/agent/agent';
import {
  A,
  type Answer,
  binaryRequest,
  expectedOutputs,
  INFER,
  jsonRequest,
  jsonRequestWith,
  type Message,
  send,
  serveTiny,
} from './served';

let agent: Agent;
beforeAll(async () => {
  agent = await serveTiny({ version: '1.2.3' });
});
afterAll(() => agent.close());

/** 32 bytes for each of the eight elements that the model takes, and 64 KiB for the rest. */
const LARGEST_BODY = 8 * 32 + 65536;

type JsonOutput = { name: string; data?: number[]; parameters?: { binary_data_size: number } };

/** Outputs of an answer in the binary form, by name. */
function binaryOutputs({ headers, body }: Answer): Record<string, Float32Array> {
  const length = Number(headers['inference-header-content-length']);
  const { outputs } = JSON.parse(body.subarray(0, length).toString()) as { outputs: JsonOutput[] };
  let position = length;
  const entries = outputs.map(({ name, parameters }) => {
    const bytes = Uint8Array.from(body.subarray(position, position + parameters!.binary_data_size));
    position += bytes.length;
    return [name, new Float32Array(bytes.buffer)] as const;
  });
  expect(position).toBe(body.length);
  return Object.fromEntries(entries);
}

describe('metadata', () => {
  test.each([
    [
      '/v2',
      { name: 'hone', version: '1.2.3', extensions: expect.arrayContaining(['binary_tensor_data', 'statistics']) },
    ],
    ['/v2/health/live', { live: true }],
    ['/v2/health/ready', { ready: true }],
    ['/v2/models/tiny/ready', { name: 'tiny', ready: true }],
    ['/v2/models/tiny/versions/1/ready', { name: 'tiny', ready: true }],
    ['/v1/agent', { pid: process.pid, model: 'tiny', version: '1.2.3' }],
  ])('GET %s', async (path, expected) => {
    const answer = await send(agent.url, path);
    expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } });
    expect(answer.json()).toEqual(expected);
  });

  test.each(['/v2/models/tiny', '/v2/models/tiny/', '/v2/models/tiny/versions/1', '/v2/models/tiny?x=1'])(
    'GET %s describes the model',
    async (path) => {
      expect((await send(agent.url, path)).json()).toEqual({
        name: 'tiny',
        versions: ['1'],
        platform: 'hone_plan',
        inputs: ['a', 'b'].map((name) => ({ name, datatype: 'FP32', shape: [1, 4] })),
        outputs: [
          { name: 'sum', datatype: 'FP32', shape: [1, 4] },
          { name: 'y', datatype: 'FP32', shape: [1, 3] },
        ],
      });
    },
  );
});

describe('inference', () => {
  test('JSON gives what the engine gives, in the order of the model', async () => {
    const { sum, y } = expectedOutputs();
    const answer = await send(agent.url, INFER, { body: jsonRequest({ id: 'seven' }) });
    expect(answer.headers['inference-header-content-length']).toBeUndefined();
    expect(answer.json()).toEqual({
      model_name: 'tiny',
      model_version: '1',
      id: 'seven',
      outputs: [
        { name: 'sum', datatype: 'FP32', shape: [1, 4], data: Array.from(sum) },
        { name: 'y', datatype: 'FP32', shape: [1, 3], data: Array.from(y) },
      ],
    });
  });

  test('binary tensors give the same bits', async () => {
    const answer = await send(agent.url, INFER, binaryRequest());
    expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'application/octet-stream' } });
    expect(binaryOutputs(answer)).toEqual(expectedOutputs());
  });

  test('nested data, a version in the path and other orders are the same request', async () => {
    const expected = (await send(agent.url, INFER, { body: jsonRequest() })).json();
    const nested = jsonRequestWith({ data: [Array.from(A)] });
    expect((await send(agent.url, INFER, { body: nested })).json()).toEqual(expected);
    const { inputs } = JSON.parse(jsonRequest()) as { inputs: object[] };
    const reversed = JSON.stringify({ inputs: inputs.reverse() });
    expect((await send(agent.url, '/v2/models/tiny/versions/1/infer', { body: reversed })).json()).toEqual(expected);
  });

  test('outputs can be chosen one by one, in both forms', async () => {
    const outputs = [{ name: 'y', parameters: { binary_data: true } }];
    expect(binaryOutputs(await send(agent.url, INFER, { body: jsonRequest({ outputs }) }))).toEqual({
      y: expectedOutputs().y,
    });
    const mixed = binaryRequest({ outputs: [{ name: 'sum', parameters: { binary_data: false } }, { name: 'y' }] });
    const answer = await send(agent.url, INFER, mixed);
    const length = Number(answer.headers['inference-header-content-length']);
    const json = JSON.parse(answer.body.subarray(0, length).toString()) as { outputs: JsonOutput[] };
    expect(json.outputs.map(({ name, data, parameters }) => [name, data?.length, parameters])).toEqual([
      ['sum', 4, undefined],
      ['y', undefined, { binary_data_size: 12 }],
    ]);
  });

  test('statistics count answers, refusals and their phases', async () => {
    type Duration = { count: number; ns: number };
    type Stats = { inference_count: number; inference_stats: Record<string, Duration>; last_inference: number };
    const read = async (path: string) => ((await send(agent.url, path)).json().model_stats as Stats[])[0];
    const before = await read('/v2/models/tiny/stats');
    await send(agent.url, INFER, binaryRequest());
    await send(agent.url, INFER, { body: '{' });
    const after = await read('/v2/models/stats');
    expect(after.inference_count).toBe(before.inference_count + 1);
    expect(after.inference_stats.fail.count).toBe(before.inference_stats.fail.count + 1);
    const grown = (phase: string) => after.inference_stats[phase].ns - before.inference_stats[phase].ns;
    for (const phase of ['queue', 'compute_input', 'compute_infer', 'compute_output'])
      expect(grown(phase)).toBeGreaterThan(0);
    const sum = ['queue', 'compute_input', 'compute_infer', 'compute_output'].reduce(
      (ns, phase) => ns + grown(phase),
      0,
    );
    expect(grown('success')).toBeCloseTo(sum, -1);
    expect(Math.abs(after.last_inference - Date.now())).toBeLessThan(60000);
  });
});

describe('bad requests', () => {
  const deep = `{"inputs":[{"name":"a","datatype":"FP32","shape":[1,4],"data":${'['.repeat(5000)}1${']'.repeat(5000)}}]}`;
  const cases: [string, Message, number, string][] = [
    ['malformed JSON', { body: '{"inputs": [' }, 400, 'E_REQUEST_FORMAT'],
    ['an empty body', { body: '' }, 400, 'E_REQUEST_FORMAT'],
    ['JSON that is no object', { body: 'null' }, 400, 'E_REQUEST_FORMAT'],
    ['no inputs', { body: '{}' }, 400, 'E_REQUEST_FORMAT'],
    ['inputs that are null', { body: '{"inputs":[null]}' }, 400, 'E_REQUEST_FORMAT'],
    ['a missing input', { body: jsonRequest({ inputs: [] }) }, 400, 'E_INPUT_MISSING'],
    ['a wrong name', { body: jsonRequestWith({ name: 'c' }) }, 400, 'E_INPUT_NAME'],
    ['an input twice', { body: jsonRequestWith({ name: 'b' }) }, 400, 'E_REQUEST_FORMAT'],
    ['a wrong datatype', { body: jsonRequestWith({ datatype: 'INT8' }) }, 400, 'E_INPUT_TYPE'],
    ['a wrong shape', { body: jsonRequestWith({ shape: [4] }) }, 400, 'E_INPUT_SHAPE'],
    ['a shape that is none', { body: jsonRequestWith({ shape: 'four' }) }, 400, 'E_INPUT_SHAPE'],
    ['a wrong extent', { body: jsonRequestWith({ shape: [1, 5] }) }, 400, 'E_INPUT_SHAPE'],
    ['too few elements', { body: jsonRequestWith({ data: [1, 2, 3] }) }, 400, 'E_INPUT_LENGTH'],
    ['elements that are no numbers', { body: jsonRequestWith({ data: [1, '2', 3, 4] }) }, 400, 'E_REQUEST_FORMAT'],
    ['numbers beyond float32', { body: jsonRequestWith({ data: [1e39, 2, 3, 4] }) }, 400, 'E_REQUEST_FORMAT'],
    ['no data', { body: jsonRequestWith({ data: undefined }) }, 400, 'E_REQUEST_FORMAT'],
    ['data nested too deep', { body: deep }, 400, 'E_REQUEST_FORMAT'],
    ['an unknown output', { body: jsonRequest({ outputs: [{ name: 'z' }] }) }, 400, 'E_OUTPUT_NAME'],
    ['an output twice', { body: jsonRequest({ outputs: [{ name: 'y' }, { name: 'y' }] }) }, 400, 'E_REQUEST_FORMAT'],
    ['outputs that are no list', { body: jsonRequest({ outputs: 'y' }) }, 400, 'E_REQUEST_FORMAT'],
    ['a header longer than the body', { ...binaryRequest(), headers: header('100000') }, 400, 'E_REQUEST_FORMAT'],
    ['a header cut short', { ...binaryRequest(), headers: header('10') }, 400, 'E_REQUEST_FORMAT'],
    ['a header length that is no number', { ...binaryRequest(), headers: header('-1') }, 400, 'E_REQUEST_FORMAT'],
    ['a tensor size that lies', binaryRequest({}, [12, 20]), 400, 'E_INPUT_LENGTH'],
    ['a tensor size beyond the body', binaryRequest({}, [16, 1e9]), 400, 'E_REQUEST_FORMAT'],
    ['a negative tensor size', binaryRequest({}, [-16, 16]), 400, 'E_REQUEST_FORMAT'],
    ['bytes after the last tensor', binaryRequest({}, [16, 16], Buffer.alloc(3)), 400, 'E_REQUEST_FORMAT'],
    ['a body of the largest size', { body: Buffer.alloc(LARGEST_BODY) }, 400, 'E_REQUEST_FORMAT'],
    ['a body too large', { body: Buffer.alloc(LARGEST_BODY + 1) }, 413, 'E_REQUEST_SIZE'],
    [
      'a body too large without a length',
      { body: Buffer.alloc(LARGEST_BODY + 1), headers: { 'transfer-encoding': 'chunked' } },
      413,
      'E_REQUEST_SIZE',
    ],
    ['a body far too large', { body: Buffer.alloc(10 << 20) }, 413, 'E_REQUEST_SIZE'],
  ];

  function header(length: string): Record<string, string> {
    return { 'inference-header-content-length': length };
  }

  test.each(cases)('%s', async (_, message, status, code) => {
    const answer = await send(agent.url, INFER, { method: 'POST', ...message });
    expect(answer.json()).toMatchObject({ code, error: expect.stringMatching(/\w+ \w+/), hint: expect.any(String) });
    expect(answer.status).toBe(status);
  });

  test.each([
    ['GET', '/', 'E_REQUEST_ROUTE'],
    ['GET', '/v2/modelsx', 'E_REQUEST_ROUTE'],
    ['GET', '/v2/models/tiny/nothing', 'E_REQUEST_ROUTE'],
    ['GET', '/v2/models/%ff', 'E_REQUEST_ROUTE'],
    ['GET', '//[::1', 'E_REQUEST_ROUTE'],
    ['GET', '/v2/models/other', 'E_MODEL_UNKNOWN'],
    ['GET', '/v2/models/tiny/versions/2', 'E_MODEL_UNKNOWN'],
    ['POST', '/v2/models/other/infer', 'E_MODEL_UNKNOWN'],
  ])('%s %s is nowhere', async (method, path, code) => {
    const answer = await send(agent.url, path, { method });
    expect(answer.json()).toMatchObject({ code });
    expect(answer.status).toBe(404);
  });

  test.each([
    ['GET', INFER, 'POST, OPTIONS'],
    ['DELETE', '/v2', 'GET, HEAD, OPTIONS'],
    ['POST', '/metrics', 'GET, HEAD, OPTIONS'],
    ['PUT', '/v2/repository/index', 'POST, OPTIONS'],
  ])('%s %s is no method of it', async (method, path, allow) => {
    const answer = await send(agent.url, path, { method });
    expect(answer).toMatchObject({ status: 405, headers: { allow } });
    expect(answer.json()).toMatchObject({ code: 'E_REQUEST_METHOD' });
  });

  test.each(['/v2', '/v2/health/live', '/metrics', '/v2/models/tiny'])('HEAD %s', async (path) => {
    const answer = await send(agent.url, path, { method: 'HEAD' });
    expect(answer.status).toBe(200);
    expect(answer.body).toHaveLength(0);
  });

  test.each([
    [403, { host: 'evil.example' }],
    [403, { host: '127.0.0.1.evil.example' }],
    [400, { host: 'localhost@evil.example' }],
    [403, { origin: 'https://evil.example' }],
    [403, { origin: 'null' }],
    [200, { host: 'localhost:1' }],
    [200, { host: '[::1]:8700' }],
    [200, { host: 'localhost:3000', origin: 'http://LOCALHOST:3000' }],
    [403, { origin: 'http://localhost:3000' }],
    [403, { host: '127.999.999.999' }],
  ])('%d for %j', async (status, headers) => {
    const answer = await send(agent.url, '/v2', { headers: headers as Record<string, string> });
    expect(answer.status).toBe(status);
    if (status === 403) expect(answer.json()).toMatchObject({ code: 'E_REQUEST_ORIGIN' });
  });

  test('whatever bytes come, the agent answers and goes on', async () => {
    const requests = fc.oneof(
      fc.record({ body: fc.uint8Array({ maxLength: 300 }), length: fc.option(fc.integer({ min: -5, max: 400 })) }),
      fc.record({
        body: fc.json({ maxDepth: 4 }).map((text) => Buffer.from(`{"inputs":[${text}],"outputs":${text}}`)),
        length: fc.constant(null),
      }),
      fc.record({
        body: fc.tuple(fc.nat(400), fc.nat(255)).map(([at, byte]) => {
          const bytes = Uint8Array.from(binaryRequest().body as Buffer);
          bytes[at % bytes.length] = byte;
          return bytes;
        }),
        length: fc.constantFrom(
          ...[Number((binaryRequest().headers as Record<string, string>)['inference-header-content-length'])],
        ),
      }),
    );
    await fc.assert(
      fc.asyncProperty(requests, async ({ body, length }) => {
        const headers: Record<string, string> = length === null ? {} : header(String(length));
        const answer = await send(agent.url, INFER, { body, headers });
        expect([200, 400]).toContain(answer.status);
      }),
      { numRuns: 300 },
    );
    expect(binaryOutputs(await send(agent.url, INFER, binaryRequest()))).toEqual(expectedOutputs());
  });
});
