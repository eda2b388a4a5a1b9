import type { Agent } from '../../../lib/agent/agent';
import { binaryRequest, INFER, jsonRequest, send, serveTiny, untilStatus } from '../served';
import { type RawAnswer, RawConnection } from './raw';
import { expectUnharmed, get, HOST } from './rows';

let agent: Agent;
const connections: RawConnection[] = [];
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.destroy();
  await expectUnharmed(agent);
  await agent.close();
});

const open = () => {
  const connection = new RawConnection(agent.url);
  connections.push(connection);
  return connection;
};
const codeOf = ({ status, body }: RawAnswer) => [status, (JSON.parse(body.toString()) as { code?: string }).code];
const HEAD = `POST ${INFER} HTTP/1.1\r\n${HOST}`;
const started = (length: number, bytes: string) => {
  const connection = open();
  connection.write(`${HEAD}Content-Length: ${length}\r\n\r\n${bytes}`);
  return connection;
};
const inProgress = (count: number) => untilStatus(agent.url, ({ uploads }) => uploads === count);

test.each([64, 500])('%d uploads of one byte each stand beside good requests', async (count) => {
  agent = await serveTiny();
  const stalled = Array.from({ length: count }, () => started(1000, '{'));
  await inProgress(count);
  for (let i = 0; i < 20; i++) expect((await send(agent.url, INFER, binaryRequest())).status).toBe(200);
  for (const connection of stalled) connection.destroy();
});

test('a head that comes byte by byte is refused at its limit', async () => {
  agent = await serveTiny({ limits: { headMs: 300, checkMs: 50 } });
  const connection = open();
  const bytes = get('/v2/health/live', 'X: y\r\n'.repeat(1000));
  let at = 0;
  const trickle = setInterval(() => connection.write(bytes[at++]), 10);
  const answer = await connection.next();
  clearInterval(trickle);
  expect(codeOf(answer)).toEqual([408, 'E_REQUEST_SLOW']);
  expect(answer.headers.connection).toBe('close');
  await connection.closed();
});

test.each([
  ['with a length', `${HEAD}Content-Length: 1000\r\n\r\n`, 'x'],
  ['in chunks', `${HEAD}Transfer-Encoding: chunked\r\n\r\n`, '1\r\nx\r\n'],
  ['in chunk extensions', `${HEAD}Transfer-Encoding: chunked\r\n\r\n5;`, 'a'],
])('a body %s that comes byte by byte is refused at its limit', async (_, head, piece) => {
  agent = await serveTiny({ limits: { headMs: 300, requestMs: 400, checkMs: 50 } });
  const connection = open();
  connection.write(head);
  const trickle = setInterval(() => connection.write(piece), 10);
  const answer = await connection.next();
  clearInterval(trickle);
  expect(codeOf(answer)).toEqual([408, 'E_REQUEST_SLOW']);
  expect(answer.headers.connection).toBe('close');
  await connection.closed();
});

test('a body that nobody reads and that never ends is cut without a second answer', async () => {
  agent = await serveTiny({ limits: { headMs: 300, requestMs: 400, checkMs: 50 } });
  const connection = open();
  connection.write(`POST /none HTTP/1.1\r\n${HOST}Content-Length: 1000\r\n\r\nx`);
  expect(codeOf(await connection.next())).toEqual([404, 'E_REQUEST_ROUTE']);
  await connection.closed();
});

test('a connection that never says a word is closed without one', async () => {
  agent = await serveTiny({ limits: { headMs: 200, checkMs: 50 } });
  await open().closed();
});

test('an idle connection is kept for its time, then closed in order', async () => {
  agent = await serveTiny({ limits: { keepAliveMs: 500 } });
  const connection = open();
  for (let i = 0; i < 3; i++) {
    connection.write(get('/v2/health/live'));
    expect((await connection.next()).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await connection.closed();
});

test('bodies that are too much together: those that began first are refused, the last is answered', async () => {
  agent = await serveTiny({ limits: { uploadBytes: 110_000 } });
  const length = 60_000;
  const first = started(length, 'x'.repeat(45_000));
  await inProgress(1);
  const second = started(length, 'x'.repeat(45_000));
  await inProgress(2);
  const body = jsonRequest().padEnd(length);
  const third = started(length, body.slice(0, 50_000));
  expect(codeOf(await first.next())).toEqual([408, 'E_REQUEST_SLOW']);
  await first.closed();
  third.write(body.slice(50_000));
  expect((await third.next()).status).toBe(200);
  // It waits on, within the budget.
  await inProgress(1);
  second.destroy();
});

test('one who sends on behind a refusal is cut', async () => {
  agent = await serveTiny({ limits: { drainMs: 300, lingerMs: 200 } });
  const connection = open();
  connection.write(`${HEAD}Content-Length: 100000000\r\n\r\n`);
  expect(codeOf(await connection.next())).toEqual([413, 'E_REQUEST_SIZE']);
  const gone = new Promise((resolve) => connection.socket.once('close', resolve));
  const trickle = setInterval(() => connection.write('x'), 20);
  await gone;
  clearInterval(trickle);
});
