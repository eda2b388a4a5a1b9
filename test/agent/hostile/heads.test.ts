import type { Agent } from '../../../lib/agent/agent';
import { serveTiny } from '../served';
import { HEAD_ROWS } from './head-rows';
import { check, expectUnharmed } from './rows';

let agent: Agent;
beforeAll(async () => {
  agent = await serveTiny();
});
afterAll(() => agent.close());
afterEach(() => expectUnharmed(agent));

test.each(HEAD_ROWS)('$name: $status', async (row) => {
  const { headers } = await check(agent, row);
  expect(headers['set-cookie']).toBeUndefined();
  expect(headers['access-control-allow-origin']).toBeUndefined();
  if (row.status === 405 || row.status === 204) expect(headers.allow).toMatch(/(GET, HEAD|POST).*OPTIONS$/);
});
