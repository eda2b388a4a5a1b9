import type { Agent } from '../../../lib/agent/agent';
import { INFER, serveTiny } from '../served';
import { FRAMING_ROWS } from './framing-rows';
import { RawConnection } from './raw';
import { check, expectUnharmed, HOST } from './rows';

let agent: Agent;
beforeAll(async () => {
  agent = await serveTiny();
});
afterAll(() => agent.close());
afterEach(() => expectUnharmed(agent));

test.each(FRAMING_ROWS)('$name: $status', async (row) => {
  await check(agent, row);
});

test('a length too short: what follows is the next request, and none', async () => {
  const connection = new RawConnection(agent.url);
  connection.write(`POST ${INFER} HTTP/1.1\r\n${HOST}Content-Length: 2\r\n\r\n{}GARBAGE\r\n\r\n`);
  const codes = [await connection.next(), await connection.next()].map(({ body }) => JSON.parse(String(body)).code);
  expect(codes).toEqual(['E_REQUEST_FORMAT', 'E_REQUEST_HTTP']);
  await connection.closed();
});
