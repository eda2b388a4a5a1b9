import { deflateRawSync, deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import type { Agent } from '../../../lib/agent/agent';
import { binaryRequest, jsonRequest, serveTiny } from '../served';
import { check, expectUnharmed, post, type Row } from './rows';

let agent: Agent;
beforeAll(async () => {
  agent = await serveTiny({ token: 'open' });
});
afterAll(() => agent.close());
afterEach(() => expectUnharmed(agent));

const JSON_BODY = Buffer.from(jsonRequest());
const { headers, body } = binaryRequest() as { headers: Record<string, string>; body: Buffer };
const LENGTH = `Inference-Header-Content-Length: ${headers['inference-header-content-length']}\r\n`;
const gzip = gzipSync(JSON_BODY);
const coded = (bytes: Uint8Array, encoding: string, more = '') =>
  post(bytes, `Content-Encoding: ${encoding}\r\n${more}`);
const changed = (bytes: Buffer, at: number) => {
  const copy = Buffer.from(bytes);
  copy[at < 0 ? copy.length + at : at] ^= 0xff;
  return copy;
};

/** Bodies: what they are, the status, the code. */
const BODIES: readonly [name: string, bytes: Buffer, status: number, code?: string][] = [
  ['gzip', coded(gzip, 'gzip'), 200],
  ['GZIP', coded(gzip, 'GZIP'), 200],
  ['x-gzip', coded(gzip, 'x-gzip'), 200],
  ['deflate', coded(deflateSync(JSON_BODY), 'deflate'), 200],
  ['identity', coded(JSON_BODY, 'identity'), 200],
  [
    'gzip of two members',
    coded(Buffer.concat([gzipSync(JSON_BODY.subarray(0, 50)), gzipSync(JSON_BODY.subarray(50))]), 'gzip'),
    200,
  ],
  ['gzip of binary tensors', coded(gzipSync(body), 'gzip', LENGTH), 200],
  ['deflate of binary tensors', coded(deflateSync(body), 'deflate', LENGTH), 200],
  ['gzip of tensors without the length of the JSON', coded(gzipSync(body), 'gzip'), 400, 'E_REQUEST_FORMAT'],
  ['no gzip', coded(JSON_BODY, 'gzip'), 400, 'E_REQUEST_FORMAT'],
  ['deflate without its head', coded(deflateRawSync(JSON_BODY), 'deflate'), 400, 'E_REQUEST_FORMAT'],
  ['gzip said to be deflate', coded(gzip, 'deflate'), 400, 'E_REQUEST_FORMAT'],
  ['gzip that breaks off', coded(gzip.subarray(0, -10), 'gzip'), 400, 'E_REQUEST_FORMAT'],
  ['gzip without its checksum', coded(gzip.subarray(0, -8), 'gzip'), 400, 'E_REQUEST_FORMAT'],
  ['gzip with another checksum', coded(changed(gzip, -8), 'gzip'), 400, 'E_REQUEST_FORMAT'],
  ['gzip with another length', coded(changed(gzip, -1), 'gzip'), 400, 'E_REQUEST_FORMAT'],
  ['gzip with more behind it', coded(Buffer.concat([gzip, Buffer.from('more')]), 'gzip'), 400, 'E_REQUEST_FORMAT'],
  [
    'deflate with more behind it',
    coded(Buffer.concat([deflateSync(JSON_BODY), Buffer.from('m')]), 'deflate'),
    400,
    'E_REQUEST_FORMAT',
  ],
  ['gzip of nothing', coded(gzipSync(''), 'gzip'), 400, 'E_REQUEST_FORMAT'],
  ['no bytes', coded(Buffer.alloc(0), 'gzip'), 400, 'E_REQUEST_FORMAT'],
  ['gzip inside gzip', coded(gzipSync(gzip), 'gzip'), 400, 'E_REQUEST_FORMAT'],
  ['60 MB in 60 kB', coded(gzipSync(Buffer.alloc(60_000_000)), 'gzip'), 413, 'E_REQUEST_SIZE'],
  ['one byte too many', coded(gzipSync(Buffer.alloc(8 * 32 + 65_536 + 1)), 'gzip'), 413, 'E_REQUEST_SIZE'],
  ['as many bytes as it may have', coded(gzipSync(Buffer.alloc(8 * 32 + 65_536)), 'gzip'), 400, 'E_REQUEST_FORMAT'],
  ...[
    'br',
    'zstd',
    'compress',
    'gzip, gzip',
    'gzip, identity',
    'gzip;q=1',
    '',
    'constructor',
    '__proto__',
    'toString',
  ].map((encoding): [string, Buffer, number, string] => [
    `'${encoding}'`,
    coded(gzip, encoding),
    415,
    'E_REQUEST_ENCODING',
  ]),
  ['gzip in two fields', coded(gzip, 'gzip\r\nContent-Encoding: gzip'), 415, 'E_REQUEST_ENCODING'],
  ['gzip where models are loaded', post(gzipSync('{}'), 'Content-Encoding: gzip\r\n', '/v2/repository/index'), 200],
  [
    'br where models are loaded',
    post('{}', 'Content-Encoding: br\r\n', '/v2/repository/index'),
    415,
    'E_REQUEST_ENCODING',
  ],
];

test.each(
  BODIES.map(([name, bytes, status, code]): Row => ({ name, bytes, status, after: 'open', ...(code ? { code } : {}) })),
)('a body of $name: $status', async (row) => {
  await check(agent, row);
});

/** Accept-Encoding: the encoding of the answer; undefined: none; 406: there is none that would do. */
const ACCEPTED: readonly [string, 'gzip' | 'deflate' | undefined | 406][] = [
  ['gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['x-gzip', 'gzip'],
  ['GZip ; Q=0.5', 'gzip'],
  ['gzip;q=0', undefined],
  ['gzip;q=0.000', undefined],
  ['gzip, deflate', undefined],
  ['gzip, deflate, br, zstd', undefined],
  ['*', undefined],
  ['identity', undefined],
  ['', undefined],
  ['br', undefined],
  ['gzip, identity;q=0', 'gzip'],
  ['gzip;q=0.5, deflate, identity;q=0', 'deflate'],
  ['identity;q=0', 406],
  ['*;q=0', 406],
  ['br, identity;q=0', 406],
  ['gzip, *;q=0', 'gzip'],
  ['identity;q=0, *', 'gzip'],
  ['constructor', undefined],
  ['__proto__', undefined],
  [`${'gzip,'.repeat(2000)}br`, undefined],
];

test.each(ACCEPTED)('an answer to one who accepts %.40p', async (accepted, expected) => {
  const field = `Accept-Encoding: ${accepted}\r\n`;
  const bytes = post(JSON_BODY, field);
  const name = accepted;
  if (expected === 406) {
    await check(agent, { name, bytes, status: 406, code: 'E_RESPONSE_ENCODING', after: 'open' });
    return;
  }
  const plain = await check(agent, { name, bytes: post(JSON_BODY), status: 200, after: 'open' });
  const answer = await check(agent, { name, bytes, status: 200, after: 'open' });
  expect(answer.headers['content-encoding']).toBe(expected);
  const decode = { gzip: gunzipSync, deflate: inflateSync, none: (bytes: Buffer) => bytes }[expected ?? 'none'];
  expect(decode(answer.body)).toEqual(plain.body);
});
