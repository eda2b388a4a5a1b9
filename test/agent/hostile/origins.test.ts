import type { Agent } from '../../../lib/agent/agent';
import { jsonRequest, serveTiny } from '../served';
import { RawConnection } from './raw';
import { check, expectUnharmed, get, post } from './rows';

const LISTED = 'https://dash.example:3000';

let agent: Agent;
beforeAll(async () => {
  agent = await serveTiny({ origins: [LISTED, 'http://localhost:5173'] });
});
afterAll(() => agent.close());
afterEach(() => expectUnharmed(agent));

const from = (origin: string) => `Origin: ${origin}\r\n`;
const CORS = {
  'access-control-allow-origin': LISTED,
  'access-control-expose-headers': 'inference-header-content-length, retry-after',
  vary: 'Origin',
};

test.each([
  ['metadata', get('/v2', from(LISTED)), 200, undefined],
  ['metrics', get('/metrics', from(LISTED)), 200, undefined],
  ['an inference', post(jsonRequest(), from(LISTED)), 200, undefined],
  ['a bad inference', post('{', from(LISTED)), 400, 'E_REQUEST_FORMAT'],
  ['an unknown model', get('/v2/models/none', from(LISTED)), 404, 'E_MODEL_UNKNOWN'],
  ['a path that is not there', get('/none', from(LISTED)), 404, 'E_REQUEST_ROUTE'],
  ['a method that is not there', get('/v2', from(LISTED), 'DELETE'), 405, 'E_REQUEST_METHOD'],
  ['a body in br', post('x', `${from(LISTED)}Content-Encoding: br\r\n`), 415, 'E_REQUEST_ENCODING'],
  ['a load without a token', post('', from(LISTED), '/v2/repository/models/tiny/load'), 403, 'E_REPOSITORY_CLOSED'],
] as const)('a page of a listed origin may read %s', async (name, bytes, status, code) => {
  const { headers } = await check(agent, {
    name,
    bytes,
    status,
    after: 'open',
    headers: CORS,
    ...(code ? { code } : {}),
  });
  expect(headers['access-control-allow-credentials']).toBeUndefined();
});

test.each([
  ...[
    'null',
    '*',
    'http://dash.example:3000',
    'https://dash.example',
    'https://dash.example:3001',
    'https://dash.example:3000/',
  ],
  ...['HTTPS://DASH.EXAMPLE:3000', 'https://dash.example:3000.evil.example', 'https://evil.example', 'file://', ''],
  ...[
    'https://a@dash.example:3000',
    'http://localhost:3000',
    'https://localhost',
    'chrome-extension://abcdef',
    `${LISTED}, ${LISTED}`,
  ],
  ...[
    `${LISTED} https://evil.example`,
    `${LISTED}\r\nOrigin: https://evil.example`,
    `https://evil.example\r\nOrigin: ${LISTED}`,
  ],
])('origin %j is none of them, in a request and before one', async (origin) => {
  for (const method of ['GET', 'OPTIONS', 'HEAD']) {
    const bytes = get('/v2', `${from(origin)}Access-Control-Request-Method: GET\r\n`, method);
    const code = method === 'HEAD' ? {} : { code: 'E_REQUEST_ORIGIN' };
    const { headers } = await check(agent, { name: origin, bytes, status: 403, after: 'open', ...code });
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect(headers.vary).toBe('Origin');
  }
});

test('an answer to nobody in particular is not kept for a page either', async () => {
  const { headers } = await check(agent, {
    name: '',
    bytes: get('/v2'),
    status: 200,
    after: 'open',
    headers: { vary: 'Origin' },
  });
  expect(headers['access-control-allow-origin']).toBeUndefined();
});

test.each([
  ['/v2/models/tiny/infer', 'POST, OPTIONS', 'POST'],
  ['/v2', 'GET, HEAD, OPTIONS', 'DELETE'],
  ['/v1/telemetry', 'GET, HEAD, OPTIONS', 'GET'],
])('a browser that asks before it uses %s is told what it may', async (path, allow, method) => {
  const asks = `Access-Control-Request-Method: ${method}\r\nAccess-Control-Request-Headers: content-type\r\n`;
  const answer = await check(agent, {
    ...{ name: path, bytes: get(path, `${from(LISTED)}${asks}`, 'OPTIONS'), status: 204, after: 'open' },
    headers: { ...CORS, allow, 'access-control-allow-methods': allow },
  });
  expect(answer.headers['access-control-allow-headers']).toBe('content-type, inference-header-content-length');
  expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
});

test('a page of a listed origin reads the stream', async () => {
  const connection = new RawConnection(agent.url);
  connection.write(get('/v1/telemetry', `${from(LISTED)}Accept: text/event-stream\r\n`));
  const { status, headers } = await connection.nextHead();
  connection.destroy();
  expect(status).toBe(200);
  expect(headers).toMatchObject({ ...CORS, 'content-type': 'text/event-stream' });
});
