import { binaryRequest, INFER, jsonRequest } from '../served';
import { get, HOST, post, type Row } from './rows';

type Case = readonly [
  name: string,
  bytes: Uint8Array | string,
  status: number,
  code?: string,
  after?: 'open' | 'closed',
];

const { headers, body } = binaryRequest() as { headers: Record<string, string>; body: Buffer };
const BINARY = Object.entries(headers)
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('');
const line = (text: string, fields = HOST) => `${text}\r\n${fields}\r\n`;
const host = (text: string) => line('GET /v2 HTTP/1.1', `Host: ${text}\r\n`);
const long = (count: number) => 'a'.repeat(count);

const VERSIONS: readonly Case[] = [
  ['HTTP/0.9 without a version', 'GET /v2\r\n\r\n', 505, 'E_REQUEST_VERSION', 'closed'],
  ['HTTP/0.9', line('GET /v2 HTTP/0.9'), 505, 'E_REQUEST_VERSION', 'closed'],
  ['HTTP/1.2', line('GET /v2 HTTP/1.2'), 505, 'E_REQUEST_VERSION', 'closed'],
  ['HTTP/2.0', line('GET /v2 HTTP/2.0'), 505, 'E_REQUEST_VERSION', 'closed'],
  ['HTTP/3', line('GET /v2 HTTP/3'), 400, 'E_REQUEST_HTTP', 'closed'],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505, 'E_REQUEST_VERSION', 'closed'],
  ['a version in lower case', line('GET /v2 http/1.1'), 400, 'E_REQUEST_HTTP', 'closed'],
  ['HTTP/1.0', line('GET /v2 HTTP/1.0'), 200, undefined, 'closed'],
  ['HTTP/1.0 without Host', line('GET /v2 HTTP/1.0', ''), 200, undefined, 'closed'],
  ['HTTP/1.0 that keeps the connection', line('GET /v2 HTTP/1.0', 'Connection: keep-alive\r\n'), 200],
];

const METHODS: readonly Case[] = [
  ...['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND', 'QUERY'].map(
    (method): Case => [
      `${method} of inference`,
      get(INFER, '', method),
      405,
      method === 'HEAD' ? '' : 'E_REQUEST_METHOD',
    ],
  ),
  ['TRACE of the server', get('/v2', '', 'TRACE'), 405, 'E_REQUEST_METHOD'],
  ['POST of health', post('', '', '/v2/health/live'), 405, 'E_REQUEST_METHOD'],
  ['HEAD of health', get('/v2/health/live', '', 'HEAD'), 200],
  ['HEAD of metrics', get('/metrics', '', 'HEAD'), 200],
  ['HEAD of nothing', get('/nothing', '', 'HEAD'), 404],
  ['OPTIONS of inference', get(INFER, '', 'OPTIONS'), 204],
  ['OPTIONS of the whole server', get('*', '', 'OPTIONS'), 204],
  ['a method in lower case', get('/v2', '', 'get'), 400, 'E_REQUEST_HTTP', 'closed'],
  ['a method that nobody knows', get('/v2', '', 'FOO'), 400, 'E_REQUEST_HTTP', 'closed'],
  ['an endless method', `${'G'.repeat(20_000)}`, 400, 'E_REQUEST_HTTP', 'closed'],
  ['CONNECT', line('CONNECT evil.example:443 HTTP/1.1'), 405, 'E_REQUEST_METHOD', 'closed'],
];

const TARGETS: readonly Case[] = [
  ['no target', line('GET HTTP/1.1'), 400, 'E_REQUEST_HTTP', 'closed'],
  ['a query alone', line('GET ?x HTTP/1.1'), 400, 'E_REQUEST_HTTP', 'closed'],
  ['a target with a space', line('GET /v2 x HTTP/1.1'), 400, 'E_REQUEST_HTTP', 'closed'],
  ['a target with a zero byte', line('GET /v2\0 HTTP/1.1'), 400, 'E_REQUEST_HTTP', 'closed'],
  ['a target with a byte above 127', line('GET /v2\xff HTTP/1.1'), 400, 'E_REQUEST_HTTP', 'closed'],
  ['a target with a fragment', get('/v2#x'), 400, 'E_REQUEST_HTTP'],
  ['a machine and port', line('GET localhost:80 HTTP/1.1'), 400, 'E_REQUEST_HTTP', 'closed'],
  ['an asterisk', get('*'), 404, 'E_REQUEST_ROUTE'],
  ['the root', get('/'), 404, 'E_REQUEST_ROUTE'],
  ['two slashes at the start', get('//v2/health/live'), 404, 'E_REQUEST_ROUTE'],
  ['two slashes inside', get('/v2//health/live'), 404, 'E_REQUEST_ROUTE'],
  ['two slashes at the end', get('/v2/health/live//'), 404, 'E_REQUEST_ROUTE'],
  ['one slash at the end', get('/v2/health/live/'), 200],
  ['a segment of two dots', get('/v2/models/../health/live'), 404, 'E_REQUEST_ROUTE'],
  ['two dots as a model', get('/v2/models/..'), 404, 'E_MODEL_UNKNOWN'],
  ['escaped dots as a model', get('/v2/models/%2e%2e/ready'), 404, 'E_MODEL_UNKNOWN'],
  ['an escaped slash in a model', get('/v2/models/tiny%2Fready'), 404, 'E_MODEL_UNKNOWN'],
  ['an escaped path to a file', get('/v2/models/..%2f..%2fetc%2fpasswd'), 404, 'E_MODEL_UNKNOWN'],
  ['an escaped zero byte', get('/v2/models/tiny%00'), 404, 'E_MODEL_UNKNOWN'],
  ['escaped line ends', get('/v2/models/a%0d%0aSet-Cookie:%20x=y'), 404, 'E_MODEL_UNKNOWN'],
  ['a broken escape', get('/v2/models/%zz'), 404, 'E_REQUEST_ROUTE'],
  ['an escape that is no UTF-8', get('/v2/models/%ff'), 404, 'E_REQUEST_ROUTE'],
  ['an escaped letter', get('/v2/models/%74iny'), 200],
  ['a model in capitals', get('/v2/models/TINY'), 404, 'E_MODEL_UNKNOWN'],
  ['a model of the language', get('/v2/models/__proto__'), 404, 'E_MODEL_UNKNOWN'],
  ['no model', get('/v2/models//ready'), 404, 'E_REQUEST_ROUTE'],
  ['a version that is not there', get('/v2/models/tiny/versions/2/ready'), 404, 'E_MODEL_UNKNOWN'],
  ['a version of a version', get('/v2/models/tiny/versions/1/versions/1/ready'), 404, 'E_REQUEST_ROUTE'],
  ['a query', get('/v2/models/tiny?x=%zz&&=&x'), 200],
  ['a query of telemetry for no model', get('/v1/telemetry?model=none'), 404, 'E_MODEL_UNKNOWN'],
  ['a path of 7 kB', get(`/${long(7000)}`), 404, 'E_REQUEST_ROUTE'],
  ['a path of 20 kB', get(`/${long(20_000)}`), 431, 'E_REQUEST_HEAD', 'closed'],
  ['an address', get('http://localhost:1/v2?x'), 200],
  ['an address with no path', get('http://localhost'), 404, 'E_REQUEST_ROUTE'],
  ['an address elsewhere', get('http://evil.example/v2'), 403, 'E_REQUEST_ORIGIN'],
  ['an address with a user', get('http://a@localhost/v2'), 400, 'E_REQUEST_HTTP'],
  ['an address of https', get('https://localhost/v2'), 400, 'E_REQUEST_HTTP'],
  [
    'an address that is right where Host is not',
    line('GET http://localhost/v2 HTTP/1.1', 'Host: evil.example\r\n'),
    200,
  ],
];

const HOSTS: readonly Case[] = [
  ['no Host', line('GET /v2 HTTP/1.1', ''), 400, 'E_REQUEST_HTTP'],
  ['two Hosts', line('GET /v2 HTTP/1.1', `${HOST}Host: evil.example\r\n`), 400, 'E_REQUEST_HTTP'],
  ['the same Host twice', line('GET /v2 HTTP/1.1', `${HOST}${HOST}`), 400, 'E_REQUEST_HTTP'],
  ...[
    '',
    'localhost@evil.example',
    'user:pass@localhost',
    'localhost:80:80',
    'localhost/',
    'local host',
    'a, b',
    '[::1',
  ].map((text): Case => [`Host '${text}'`, host(text), 400, 'E_REQUEST_HTTP']),
  ...[
    ...[
      'evil.example',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      '0.0.0.0',
      '127.1',
      '2130706433',
      '172.0.0.1',
    ],
    ...['127.999.999.999', 'localhost.', '[::ffff:127.0.0.1]', '[::]', 'localhost:99999999', 'xn--lcalhost-n9a'],
  ].map((text): Case => [`Host ${text}`, host(text), 403, 'E_REQUEST_ORIGIN']),
  ...['localhost', 'LOCALHOST:8701', '127.0.0.1:80', '[::1]:8701', '127.3.2.1'].map(
    (text): Case => [`Host ${text}`, host(text), 200],
  ),
];

const FIELDS: readonly Case[] = [
  ['a field of 12 kB', get('/v2', `X: ${long(12_000)}\r\n`), 200],
  ['a field of 20 kB', get('/v2', `X: ${long(20_000)}\r\n`), 431, 'E_REQUEST_HEAD', 'closed'],
  ['a name of 20 kB', get('/v2', `${long(20_000)}: x\r\n`), 431, 'E_REQUEST_HEAD', 'closed'],
  ['10,000 fields', get('/v2', 'a: b\r\n'.repeat(10_000)), 431, 'E_REQUEST_HEAD', 'closed'],
  [
    '2,500 fields, then an origin',
    get('/v2', `${'a:\r\n'.repeat(2500)}Origin: http://evil.example\r\n`),
    403,
    'E_REQUEST_ORIGIN',
  ],
  ['names of the language', get('/v2', '__proto__: x\r\nconstructor: y\r\n'), 200],
  ['two content types', post(jsonRequest(), 'Content-Type: a/b\r\nContent-Type: c/d\r\n'), 400, 'E_REQUEST_HTTP'],
  ['an upgrade to WebSocket', get('/v2', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'), 200],
  [
    'an upgrade to HTTP/2',
    post(jsonRequest(), 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n'),
    200,
  ],
  ['an expectation that nobody knows', post(jsonRequest(), 'Expect: 200-ok\r\n'), 417, 'E_REQUEST_EXPECT'],
  ['two expectations', post(jsonRequest(), 'Expect: 100-continue, x\r\n'), 417, 'E_REQUEST_EXPECT', 'closed'],
  [
    'an expectation in HTTP/1.0',
    `POST ${INFER} HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: ${jsonRequest().length}\r\n\r\n${jsonRequest()}`,
    200,
    undefined,
    'closed',
  ],
  ['the last request of a connection', get('/v2', 'Connection: close\r\n'), 200, undefined, 'closed'],
  ['more behind the last request', `${get('/v2', 'Connection: close\r\n')}${get('/v2')}`, 200, undefined, 'closed'],
  ['a GET with a body', `${get('/v2', 'Content-Length: 5\r\n')}hello`, 200],
  [
    'a GET with a body of a megabyte',
    `${get('/v2', 'Content-Length: 1000000\r\n')}${long(1_000_000)}`,
    200,
    undefined,
    'closed',
  ],
  ['a POST without a body', `POST ${INFER} HTTP/1.1\r\n${HOST}\r\n`, 400, 'E_REQUEST_FORMAT'],
  ['binary tensors', post(body, BINARY), 200],
  ...['-1', '1e2', '0x10', '+5', '005', '5 5', '', '99999999999999999999', 'abc'].map(
    (text): Case => [
      `a header length of '${text}'`,
      post(body, `Inference-Header-Content-Length: ${text}\r\n`),
      400,
      'E_REQUEST_FORMAT',
    ],
  ),
  ['a header length twice', post(body, `${BINARY}${BINARY}`), 400, 'E_REQUEST_FORMAT'],
];

/** Request lines, targets, hosts and fields, right and wrong. */
export const HEAD_ROWS: readonly Row[] = [...VERSIONS, ...METHODS, ...TARGETS, ...HOSTS, ...FIELDS].map(
  ([name, bytes, status, code, after = 'open']) => ({ name, bytes, status, after, ...(code ? { code } : {}) }),
);
