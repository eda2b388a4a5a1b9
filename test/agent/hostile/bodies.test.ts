import type { Agent } from '../../../lib/agent/agent';
import { serveTiny } from '../served';
import { BODY_ROWS } from './body-rows';
import { check, expectUnharmed } from './rows';

let agent: Agent;
beforeAll(async () => {
  agent = await serveTiny();
});
afterAll(() => agent.close());
afterEach(() => expectUnharmed(agent));

test.each(BODY_ROWS)('$name: $status', async (each) => {
  await check(agent, each);
});
