import type { Agent } from '../../../lib/agent/agent';
import { compile } from '../../../lib/compile/compile';
import { GraphBuilder } from '../../../lib/ir/builder';
import { tensorFrom } from '../../../lib/ir/tensor';
import { prepare } from '../../../lib/passes/pipeline';
import { send, serveTiny, untilStatus } from '../served';
import { RawConnection } from './raw';
import { get, post } from './rows';

/** x [1024, 1]: y [1024, 1024] = x times ones, 4 MB. */
function largePlan(): Uint8Array {
  const b = new GraphBuilder();
  const ones = b.initializer(tensorFrom('float32', [1, 1024], new Array(1024).fill(1)));
  b.output(
    b.node('MatMul', [b.input('x', 'float32', [1024, 1]), ones], {}, { outputs: ['y'] }),
    'float32',
    [1024, 1024],
  );
  return compile(prepare(b.build()).graph, { sourceHash: 'ab'.repeat(32) }).plan;
}

/** A request of 4 kB with an answer of 4 MB. */
function large(): Buffer {
  const input = { name: 'x', datatype: 'FP32', shape: [1024, 1], parameters: { binary_data_size: 4096 } };
  const json = Buffer.from(JSON.stringify({ inputs: [input], parameters: { binary_data_output: true } }));
  return post(Buffer.concat([json, Buffer.alloc(4096)]), `Inference-Header-Content-Length: ${json.length}\r\n`);
}

let agent: Agent;
beforeAll(async () => {
  agent = await serveTiny({ plan: largePlan(), limits: { sendMs: 1000 } });
});
afterAll(() => agent.close());

async function inferences(): Promise<number> {
  const { model_stats } = (await send(agent.url, '/v2/models/tiny/stats')).json() as {
    model_stats: { inference_count: number }[];
  };
  return model_stats[0].inference_count;
}

test('one who asks for 60 large answers and reads none has a few made, and is cut', async () => {
  const connection = new RawConnection(agent.url);
  connection.socket.pause();
  connection.write(Buffer.concat(Array.from({ length: 60 }, large)));
  await untilStatus(agent.url, ({ models }) => models[0].running === 0);
  expect((await send(agent.url, '/v2/health/live')).status).toBe(200);
  const connections = (status: object) => (status as { connections: number }).connections;
  await untilStatus(agent.url, (status) => connections(status) >= 2);
  // Cut: only the connection that asks is left.
  await untilStatus(agent.url, (status) => connections(status) === 1);
  // What the buffers of the system take is sent.
  expect(await inferences()).toBeLessThan(10);
  connection.destroy();
});

test('one who reads slowly gets all of it', async () => {
  const connection = new RawConnection(agent.url);
  const { socket } = connection;
  connection.write(large());
  const slow = setInterval(() => (socket.isPaused() ? socket.resume() : socket.pause()), 20);
  const { status, body } = await connection.next();
  clearInterval(slow);
  socket.resume();
  expect([status, body.length > 4 << 20]).toEqual([200, true]);
  connection.write(get('/v2/health/live'));
  expect((await connection.next()).status).toBe(200);
  connection.destroy();
});
