import type { Agent } from '../../../lib/agent/agent';
import { INFER, jsonRequest, serveTiny } from '../served';
import { RawConnection } from './raw';
import { expectUnharmed, get, HOST, post } from './rows';

let agent: Agent;
beforeAll(async () => {
  agent = await serveTiny();
});
afterAll(() => agent.close());
afterEach(() => expectUnharmed(agent));

const sum = (index: number) => [index + 1, 2, 3, 4];
/** An inference whose first sum tells its number. */
const inference = (index: number) => {
  const input = (name: string, data: readonly number[]) => ({ name, datatype: 'FP32', shape: [1, 4], data });
  return post(jsonRequest({ id: String(index), inputs: [input('a', [index, 0, 0, 0]), input('b', [1, 2, 3, 4])] }));
};

/** Sends all at once, in pieces of `piece` bytes; the status and body of every answer. */
async function ask(requests: readonly (Uint8Array | string)[], piece = Number.POSITIVE_INFINITY) {
  const connection = new RawConnection(agent.url);
  const all = Buffer.concat(requests.map((bytes) => Buffer.from(bytes)));
  for (let at = 0; at < all.length; at += piece) {
    connection.write(all.subarray(at, at + piece));
    if (piece < all.length) await new Promise(setImmediate);
  }
  const answers: { status: number; body: Record<string, unknown> }[] = [];
  for (const _ of requests) {
    const { status, body } = await connection.next();
    answers.push({ status, body: JSON.parse(body.toString()) });
  }
  return { connection, answers };
}

test.each([Number.POSITIVE_INFINITY, 1000, 7])(
  '100 GET and 50 POST, in pieces of %d bytes, are answered in order',
  async (piece) => {
    const requests = Array.from({ length: 150 }, (_, index) =>
      index % 3 === 2 ? inference(index) : get('/v2/health/live'),
    );
    const { connection, answers } = await ask(requests, piece);
    for (const [index, { status, body }] of answers.entries()) {
      expect(status).toBe(200);
      if (index % 3 !== 2) expect(body).toEqual({ live: true });
      else
        expect(body).toMatchObject({ id: String(index), outputs: [{ name: 'sum', data: sum(index) }, { name: 'y' }] });
    }
    connection.destroy();
  },
);

test('refusals keep their place among answers', async () => {
  const { connection, answers } = await ask([
    inference(0),
    post('{'),
    get('/nothing'),
    inference(3),
    get(INFER),
    post('{}', '', '/v2/models/none/infer'),
    get('/v2', 'Origin: http://evil.example\r\n'),
    inference(7),
  ]);
  expect(answers.map(({ status, body }) => body.code ?? status)).toEqual([
    ...[
      200,
      'E_REQUEST_FORMAT',
      'E_REQUEST_ROUTE',
      200,
      'E_REQUEST_METHOD',
      'E_MODEL_UNKNOWN',
      'E_REQUEST_ORIGIN',
      200,
    ],
  ]);
  connection.destroy();
});

test('what cannot be read is refused behind the answers to what came before, and nothing after it is', async () => {
  const { connection, answers } = await ask([inference(0), inference(1), 'GARBAGE\r\n\r\n']);
  connection.write(inference(3));
  expect(answers.map(({ status, body }) => [status, body.id ?? body.code])).toEqual([
    [200, '0'],
    [200, '1'],
    [400, 'E_REQUEST_HTTP'],
  ]);
  await connection.closed();
});

test('a body that breaks behind an answer that is due is refused in its turn', async () => {
  const broken = `POST ${INFER} HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nzz\r\n`;
  const { connection, answers } = await ask([inference(0), broken]);
  expect(answers.map(({ status, body }) => [status, body.id ?? body.code])).toEqual([
    [200, '0'],
    [400, 'E_REQUEST_HTTP'],
  ]);
  await connection.closed();
});

test('nothing behind the last request is run', async () => {
  const last = Buffer.from(inference(0).toString().replace(HOST, `${HOST}Connection: close\r\n`));
  const { connection, answers } = await ask([last]);
  connection.write(inference(1));
  expect(answers).toMatchObject([{ status: 200, body: { id: '0' } }]);
  await connection.closed();
});
