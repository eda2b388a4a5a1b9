import { execFile, spawnSync } from 'node:child_process';
import { request } from 'node:http';
import { promisify } from 'node:util';
import { slowPlan, slowRequest } from '../../../bench/agent/networks';
import type { Agent } from '../../../lib/agent/agent';
import { connect } from '../../../lib/client/client';
import { holdWorker, INFER, jsonRequest, send, serveTiny, untilStatus } from '../served';
import { RawConnection } from './raw';
import { check, expectUnharmed, get, HOST, post } from './rows';

let agent: Agent;
beforeAll(async () => {
  agent = await serveTiny({ limits: { drainBytes: 300 << 20 } });
});
afterAll(() => agent.close());

const hasCurl = spawnSync('curl', ['--version']).status === 0;
const LARGE = 100 << 20;
const head = (path: string, fields: string) => `POST ${path} HTTP/1.1\r\n${HOST}${fields}\r\n`;

describe('a body that nobody reads', () => {
  afterEach(() => expectUnharmed(agent));

  test.each([
    ['an unknown model', post('x'.repeat(60_000), '', '/v2/models/none/infer'), 404, 'E_MODEL_UNKNOWN', 'open'],
    ['an unknown path', post('x'.repeat(60_000), '', '/none'), 404, 'E_REQUEST_ROUTE', 'open'],
    [
      'an unknown model, and more',
      post('x'.repeat(70_000), '', '/v2/models/none/infer'),
      404,
      'E_MODEL_UNKNOWN',
      'closed',
    ],
    ['another origin', post('x'.repeat(70_000), 'Origin: null\r\n'), 403, 'E_REQUEST_ORIGIN', 'closed'],
    ['too large', post('x'.repeat(70_000)), 413, 'E_REQUEST_SIZE', 'closed'],
    ['larger than any number', head(INFER, 'Content-Length: 9007199254740993\r\n'), 413, 'E_REQUEST_SIZE', 'closed'],
    [
      'too large, in chunks',
      `${head(INFER, 'Transfer-Encoding: chunked\r\n')}${`4000\r\n${'x'.repeat(0x4000)}\r\n`.repeat(8)}0\r\n\r\n`,
      413,
      'E_REQUEST_SIZE',
      'closed',
    ],
    [
      'in chunks without an end, of a model that is not there',
      `${head('/v2/models/none/infer', 'Transfer-Encoding: chunked\r\n')}5\r\nhello\r\n`,
      404,
      'E_MODEL_UNKNOWN',
      'closed',
    ],
    ['that never comes', head('/v2/models/none/infer', 'Content-Length: 100000\r\n'), 404, 'E_MODEL_UNKNOWN', 'closed'],
    [
      'that waits to be told to come',
      head('/v2/models/none/infer', 'Content-Length: 10\r\nExpect: 100-continue\r\n'),
      404,
      'E_MODEL_UNKNOWN',
      'closed',
    ],
    [
      'too large, that waits to be told',
      head(INFER, `Content-Length: ${LARGE}\r\nExpect: 100-continue\r\n`),
      413,
      'E_REQUEST_SIZE',
      'closed',
    ],
  ] as const)('%s', async (name, bytes, status, code, after) => {
    await check(agent, { name, bytes, status, code, after });
  });

  test('requests behind a forgotten body are answered', async () => {
    const connection = new RawConnection(agent.url);
    connection.write(head('/v2/models/none/infer', 'Content-Length: 50000\r\n'));
    expect((await connection.next()).status).toBe(404);
    connection.write('x'.repeat(50_000));
    connection.write(get('/v2/health/live'));
    expect((await connection.next()).status).toBe(200);
    connection.destroy();
  });

  test('100 MB sent in spite of all: the answer arrives, then the end of the connection, no reset', async () => {
    const connection = new RawConnection(agent.url);
    connection.write(head(INFER, `Content-Length: ${LARGE}\r\n`));
    const piece = Buffer.alloc(1 << 20);
    for (let sent = 0; sent < LARGE; sent += piece.length) {
      if (connection.socket.writableNeedDrain) await new Promise((resolve) => connection.socket.once('drain', resolve));
      connection.write(piece);
    }
    const { status, headers } = await connection.next();
    expect([status, headers.connection]).toEqual([413, 'close']);
    await connection.closed();
  });
});

describe('clients that send 100 MB see why it was refused', () => {
  afterEach(() => expectUnharmed(agent));

  test("Node's", async () => {
    const answer = await new Promise<{ status: number; body: string }>((resolve, reject) => {
      const sending = request(agent.url + INFER, { method: 'POST', agent: false }, async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk);
        resolve({ status: response.statusCode!, body: Buffer.concat(chunks).toString() });
      });
      sending.on('error', reject);
      sending.end(Buffer.alloc(LARGE));
    });
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([413, 'E_REQUEST_SIZE']);
  });

  test('fetch', async () => {
    const response = await fetch(agent.url + INFER, { method: 'POST', body: Buffer.alloc(LARGE) });
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([413, 'E_REQUEST_SIZE']);
  });

  test('ours', async () => {
    const client = connect(agent.url);
    await expect(client.infer('none', { a: new Float32Array(4) })).rejects.toMatchObject({ code: 'E_AGENT_REFUSED' });
    client.close();
  });

  // Skipped by name where there is no curl.
  (hasCurl ? test : test.skip).each([
    ['with a length', []],
    ['in chunks', ['-H', 'Transfer-Encoding: chunked']],
    ['without waiting to be told', ['-H', 'Expect:']],
  ])('curl, %s', async (_, options) => {
    const run = promisify(execFile)('curl', [
      '-sS',
      '-w',
      '\n%{http_code}',
      '--data-binary',
      '@-',
      ...options,
      agent.url + INFER,
    ]);
    run.child.stdin!.on('error', () => {});
    run.child.stdin!.end(Buffer.alloc(LARGE));
    const [body, status] = (await run).stdout.split('\n');
    expect([status, JSON.parse(body).code]).toEqual(['413', 'E_REQUEST_SIZE']);
  });
});

test('a client that waits to be told is told, and answered', async () => {
  const body = jsonRequest();
  const connection = new RawConnection(agent.url);
  connection.write(head(INFER, `Content-Length: ${body.length}\r\nExpect: 100-Continue\r\n`));
  expect(await connection.nextHead()).toEqual({ status: 100, headers: {} });
  connection.write(body);
  expect((await connection.next()).status).toBe(200);
  connection.write(get('/v2/health/live'));
  expect((await connection.next()).status).toBe(200);
  connection.destroy();
});

test('a full queue refuses before the body, and the connection stays in step', async () => {
  await using slow = await serveTiny({ plan: slowPlan(20), queue: 1, timeoutMs: 60_000 });
  const { go } = await holdWorker(slow.url);
  const { headers, body } = slowRequest(1) as { headers: Record<string, string>; body: Buffer };
  const running = [send(slow.url, INFER, { headers, body }), send(slow.url, INFER, { headers, body })];
  await untilStatus(slow.url, ({ models: [{ waiting, running: count }] }) => waiting + count === 2);
  const connection = new RawConnection(slow.url);
  connection.write(head(INFER, 'Content-Length: 50000\r\n'));
  const { status, headers: fields } = await connection.next();
  expect([status, Number(fields['retry-after']) >= 1]).toEqual([503, true]);
  connection.write('x'.repeat(50_000) + get('/v2/health/live'));
  expect((await connection.next()).status).toBe(200);
  connection.destroy();
  go();
  for (const answer of await Promise.all(running)) expect(answer.status).toBe(200);
});

test('one connection is refused again and again, whole bodies and all, and stays in step', async () => {
  await using slow = await serveTiny({ plan: slowPlan(20), queue: 1, timeoutMs: 60_000 });
  const { go } = await holdWorker(slow.url);
  const { headers, body } = slowRequest(1) as { headers: Record<string, string>; body: Buffer };
  const running = [send(slow.url, INFER, { headers, body }), send(slow.url, INFER, { headers, body })];
  await untilStatus(slow.url, ({ models: [{ waiting, running: count }] }) => waiting + count === 2);
  const connection = new RawConnection(slow.url);
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const whole = post(body, fields.join(''));
  // One after the other, then all at once, the last one in pieces.
  for (let number = 0; number < 20; number++) {
    connection.write(whole);
    await expectFull(connection);
  }
  connection.write(Buffer.concat(new Array<Buffer>(20).fill(whole)));
  for (let number = 0; number < 20; number++) await expectFull(connection);
  connection.write(whole.subarray(0, whole.length - 500));
  await expectFull(connection);
  connection.write(Buffer.concat([whole.subarray(whole.length - 500), Buffer.from(get('/v2/health/live'))]));
  expect((await connection.next()).status).toBe(200);
  connection.destroy();
  const { model_stats } = (await send(slow.url, '/v2/models/tiny/stats')).json() as {
    model_stats: { inference_stats: { fail: { count: number } } }[];
  };
  expect(model_stats[0].inference_stats.fail.count).toBe(41);
  go();
  for (const answer of await Promise.all(running)) expect(answer.status).toBe(200);
});

async function expectFull(connection: RawConnection): Promise<void> {
  const { status, headers, body } = await connection.next();
  expect(status).toBe(503);
  expect(headers).toEqual({
    ...{ 'content-type': 'application/json', 'content-length': String(body.length) },
    ...{ 'retry-after': expect.stringMatching(/^[1-9]\d*$/), date: expect.stringMatching(/GMT$/) },
    ...{ connection: 'keep-alive', 'keep-alive': expect.stringMatching(/^timeout=/) },
  });
  expect(JSON.parse(body.toString())).toMatchObject({ code: 'E_QUEUE_FULL', hint: expect.any(String) });
}
