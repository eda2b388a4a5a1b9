import type { Agent } from '../../../lib/agent/agent';
import { INFER, jsonRequest, serveTiny } from '../served';
import { check, expectUnharmed, post, type Row } from './rows';

const TOKEN = 'open sesame';
const BEARER = `Authorization: Bearer ${TOKEN}\r\n`;
const LOAD = '/v2/repository/models/tiny/load';
const UNLOAD = '/v2/repository/models/tiny/unload';
const INDEX = '/v2/repository/index';

let agent: Agent;
beforeAll(async () => {
  agent = await serveTiny({ token: TOKEN });
});
afterAll(() => agent.close());

type Case = readonly [name: string, bytes: Buffer, status: number, code?: string];

const CASES: readonly Case[] = [
  ['no token', post('', '', UNLOAD), 401, 'E_REPOSITORY_TOKEN'],
  ['another token', post('', 'Authorization: Bearer open\r\n', UNLOAD), 401, 'E_REPOSITORY_TOKEN'],
  ['the token and more', post('', `Authorization: Bearer ${TOKEN}x\r\n`, UNLOAD), 401, 'E_REPOSITORY_TOKEN'],
  [
    'the token in capitals',
    post('', `Authorization: Bearer ${TOKEN.toUpperCase()}\r\n`, UNLOAD),
    401,
    'E_REPOSITORY_TOKEN',
  ],
  ['an empty token', post('', 'Authorization: Bearer \r\n', UNLOAD), 401, 'E_REPOSITORY_TOKEN'],
  ['a token of 10 kB', post('', `Authorization: Bearer ${'x'.repeat(10_000)}\r\n`, UNLOAD), 401, 'E_REPOSITORY_TOKEN'],
  ['another scheme', post('', `Authorization: Basic ${TOKEN}\r\n`, UNLOAD), 401, 'E_REPOSITORY_TOKEN'],
  ['the token twice', post('', `${BEARER}${BEARER}`, UNLOAD), 400, 'E_REQUEST_HTTP'],
  [
    'another token, then the right one',
    post('', `Authorization: Bearer x\r\n${BEARER}`, UNLOAD),
    400,
    'E_REQUEST_HTTP',
  ],
  ['the token in the query', post('', '', `${UNLOAD}?token=${encodeURIComponent(TOKEN)}`), 401, 'E_REPOSITORY_TOKEN'],
  ['the token, the scheme in small letters', post('', `Authorization: bearer ${TOKEN}\r\n`, LOAD), 200],
  ['an unknown model', post('', BEARER, '/v2/repository/models/none/load'), 404, 'E_MODEL_UNKNOWN'],
  ['an unknown model, to unload', post('', BEARER, '/v2/repository/models/none/unload'), 404, 'E_MODEL_UNKNOWN'],
  ['a path as a model', post('', BEARER, '/v2/repository/models/..%2Ftiny/load'), 404, 'E_MODEL_UNKNOWN'],
  ['an unknown version', post('{"parameters":{"version":"2"}}', BEARER, LOAD), 404, 'E_MODEL_UNKNOWN'],
  ['a version that is a number', post('{"parameters":{"version":1}}', BEARER, LOAD), 400, 'E_REQUEST_FORMAT'],
  ['the version', post('{"parameters":{"version":"1"}}', BEARER, LOAD), 200],
  ['a configuration', post('{"parameters":{"config":"{}"}}', BEARER, LOAD), 400, 'E_REQUEST_FORMAT'],
  ['a file', post('{"parameters":{"file:1/model.plan":"AAAA"}}', BEARER, LOAD), 400, 'E_REQUEST_FORMAT'],
  ['parameters that are null', post('{"parameters":null}', BEARER, LOAD), 400, 'E_REQUEST_FORMAT'],
  ['parameters that are a list', post('{"parameters":[]}', BEARER, LOAD), 400, 'E_REQUEST_FORMAT'],
  ['an unknown key', post('{"force":true}', BEARER, LOAD), 400, 'E_REQUEST_FORMAT'],
  ['a key twice', post('{"parameters":{},"parameters":{}}', BEARER, LOAD), 400, 'E_REQUEST_FORMAT'],
  ['a list', post('[]', BEARER, LOAD), 400, 'E_REQUEST_FORMAT'],
  ['JSON that breaks off', post('{', BEARER, LOAD), 400, 'E_REQUEST_FORMAT'],
  ['lists 30,000 deep', post('['.repeat(30_000), BEARER, LOAD), 400, 'E_REQUEST_FORMAT'],
  ['an index', post('', '', INDEX), 200],
  ['an index of what is ready', post('{"ready":true}', '', INDEX), 200],
  ['an index of anything', post('{"ready":"yes"}', '', INDEX), 400, 'E_REQUEST_FORMAT'],
  ['an index of a repository', post('{"repository_name":"x"}', '', INDEX), 400, 'E_REQUEST_FORMAT'],
];

describe('the repository', () => {
  afterEach(() => expectUnharmed(agent));

  const rows = CASES.map(
    ([name, bytes, status, code]): Row => ({ name, bytes, status, after: 'open', ...(code ? { code } : {}) }),
  );
  test.each(rows)('$name: $status', async (row) => {
    const { headers } = await check(agent, row);
    expect(headers['www-authenticate']).toBe(row.status === 401 ? 'Bearer' : undefined);
  });

  test('a token of 20 kB does not fit into a head', async () => {
    const bytes = post('', `Authorization: Bearer ${'x'.repeat(20_000)}\r\n`, LOAD);
    await check(agent, { name: 'long', bytes, status: 431, code: 'E_REQUEST_HEAD', after: 'closed' });
  });

  test('a model that is unloaded is not there, and is there again when it is loaded', async () => {
    const ask = async (bytes: Buffer, status: number, code?: string) =>
      check(agent, { name: '', bytes, status, after: 'open', ...(code ? { code } : {}) });
    await ask(post('', BEARER, UNLOAD), 200);
    await ask(post(jsonRequest()), 404, 'E_MODEL_UNKNOWN');
    const { body } = await ask(post('', '', INDEX), 200);
    expect(JSON.parse(body.toString())).toMatchObject([{ name: 'tiny', state: 'UNAVAILABLE' }]);
    await ask(post('', BEARER, UNLOAD), 200);
    await ask(post('', BEARER, LOAD), 200);
    await ask(post(jsonRequest(), '', INFER), 200);
  });
});

test.each([LOAD, UNLOAD])('without a token nobody uses %s, whatever they send', async (path) => {
  await using closed = await serveTiny();
  for (const fields of ['', BEARER, 'Authorization: Bearer undefined\r\n'])
    await check(closed, {
      name: path,
      bytes: post('', fields, path),
      status: 403,
      code: 'E_REPOSITORY_CLOSED',
      after: 'open',
    });
  await expectUnharmed(closed);
});
