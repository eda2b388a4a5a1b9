import { type Agent, startAgent } from '../../lib/agent/agent';
import { compile } from '../../lib/compile/compile';
import { GraphBuilder } from '../../lib/ir/builder';
import { prepare } from '../../lib/passes/pipeline';
import { send } from './served';

const COUNT = 100_000;
const INFER = '/v2/models/large/infer';

/** y = -x of many numbers. */
function plan(): Uint8Array {
  const b = new GraphBuilder();
  b.output(b.node('Neg', [b.input('x', 'float32', [1, COUNT])], {}, { outputs: ['y'] }), 'float32', [1, COUNT]);
  return compile(prepare(b.build()).graph, { sourceHash: 'ef'.repeat(32) }).plan;
}

let agent: Agent;
beforeAll(async () => {
  agent = await startAgent({ model: 'large', plan: plan() });
});
afterAll(() => agent.close());

const input = (data: readonly unknown[]) => ({ name: 'x', datatype: 'FP32', shape: [1, COUNT], data });
const ask = (request: object) => send(agent.url, INFER, { body: JSON.stringify(request) });
const numbers = Array.from({ length: COUNT }, (_, index) => index % 1000);

test('much JSON is read and written right, in and out', async () => {
  const answer = (await ask({ id: 'a', inputs: [input(numbers)] })).json() as {
    id: string;
    outputs: [{ data: number[] }];
  };
  expect(answer.id).toBe('a');
  expect(
    answer.outputs[0].data.every((value, index) => value === -numbers[index] || (value === 0 && numbers[index] === 0)),
  ).toBe(true);
  const best = { name: 'y', parameters: { classification: 1 } };
  const few = (await ask({ inputs: [input(numbers.map((value) => (value === 7 ? -9 : 1)))], outputs: [best] })).json();
  expect(few).toMatchObject({ outputs: [{ datatype: 'BYTES', data: ['9.000000:7'] }] });
});

test('what is wrong with it is told as of little JSON', async () => {
  const refused = await ask({ inputs: [input(numbers.slice(1))] });
  expect(refused.status).toBe(400);
  expect(refused.json()).toMatchObject({ code: 'E_INPUT_LENGTH' });
});

test('while much is read, little is answered', async () => {
  const large = Array.from({ length: 6 }, () => ask({ inputs: [input(numbers)] }));
  const order: string[] = [];
  const all = Promise.all(large).then(() => order.push('large'));
  expect((await send(agent.url, '/v2/health/live')).status).toBe(200);
  order.push('live');
  await all;
  expect(order).toEqual(['live', 'large']);
});
