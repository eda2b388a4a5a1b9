import { once } from 'node:events';
import { createServer, connect as openSocket, type Socket } from 'node:net';
import type { Agent } from '../../lib/agent/agent';
import { connect } from '../../lib/client/client';
import { binaryRequest, INFER, send, serveTiny, tinyPlan } from './served';

let agent: Agent | undefined;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await agent?.close();
});

/** A connection that has sent the head of an inference request and half of its body. */
async function halfRequest(): Promise<{ readonly socket: Socket; finish(): Promise<string> }> {
  const { headers, body } = binaryRequest() as { headers: Record<string, string>; body: Buffer };
  const socket = openSocket(Number(new URL(agent!.url).port), '127.0.0.1');
  sockets.push(socket);
  await once(socket, 'connect');
  const lines = Object.entries({ host: 'localhost', 'content-length': body.length, ...headers });
  socket.write(`POST ${INFER} HTTP/1.1\r\n${lines.map(([key, value]) => `${key}: ${value}\r\n`).join('')}\r\n`);
  socket.write(body.subarray(0, 20));
  return {
    socket,
    async finish() {
      const chunks: Buffer[] = [];
      socket.on('data', (chunk) => chunks.push(chunk));
      socket.write(body.subarray(20));
      await once(socket, 'close');
      return Buffer.concat(chunks).toString('latin1');
    },
  };
}

/** Waits until the agent counts this many requests that wait. */
async function untilWaiting(count: number): Promise<void> {
  const { handler } = agent as unknown as { handler: { waiting: number } };
  while (handler.waiting !== count) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('a taken port is an error with the address, and nothing is left open', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await expect(serveTiny({ port })).rejects.toMatchObject({
    code: 'E_AGENT_PORT',
    message: expect.stringContaining(`127.0.0.1:${port}`),
  });
  server.close();
  agent = await serveTiny({ port });
  expect(agent.url).toBe(`http://127.0.0.1:${port}`);
});

test.each(['0.0.0.0', '192.168.1.1', '::', 'board7'])('does not listen on %s', async (host) => {
  await expect(serveTiny({ host })).rejects.toMatchObject({ code: 'E_OPTION_VALUE' });
});

test.each(['', 'a/b', 'a\nb', 'x'.repeat(201)])('refuses the name %j', async (model) => {
  await expect(serveTiny({ model })).rejects.toMatchObject({ code: 'E_OPTION_VALUE' });
});

test('a broken plan is refused before anything listens', async () => {
  const plan = tinyPlan();
  plan[plan.length - 1] ^= 1;
  await expect(serveTiny({ plan })).rejects.toMatchObject({ code: 'E_PLAN_FORMAT' });
});

test('small answers leave at once (TCP_NODELAY)', async () => {
  agent = await serveTiny();
  expect((agent as unknown as { server: { noDelay: boolean } }).server.noDelay).toBe(true);
});

test('stops after the running requests are answered; probes and new requests hear of it', async () => {
  agent = await serveTiny();
  const begun = await halfRequest();
  await untilWaiting(1);
  const probes = await Promise.all(['/v2/health/live', '/v2/health/ready', '/v2'].map((path) => keptOpen(path)));
  const closed = agent.close();
  expect(await Promise.all(probes.map((ask) => ask()))).toEqual([
    [200, { live: true }],
    [503, { ready: false }],
    [503, expect.objectContaining({ code: 'E_AGENT_STOPPING' })],
  ]);
  const answer = await begun.finish();
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(answer).toMatch(/connection: close/i);
  await closed;
  await expect(send(agent.url, '/v2')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await agent.close();
});

/** Opens a connection with the first bytes of a request for `path`; the function sends the rest and reads the answer. */
async function keptOpen(path: string): Promise<() => Promise<[number, unknown]>> {
  const socket = openSocket(Number(new URL(agent!.url).port), '127.0.0.1');
  sockets.push(socket);
  await once(socket, 'connect');
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nX: `);
  await new Promise((resolve) => setTimeout(resolve, 50));
  return async () => {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.write('y\r\n\r\n');
    await once(socket, 'close');
    const [head, body] = Buffer.concat(chunks).toString('utf8').split('\r\n\r\n');
    return [Number(head.split(' ')[1]), JSON.parse(body)];
  };
}

test('a client that never finishes does not hold the agent', async () => {
  agent = await serveTiny();
  await halfRequest();
  await untilWaiting(1);
  await agent.close();
}, 15000);

test('a stream ends when the agent does', async () => {
  agent = await serveTiny({ intervalMs: 10 });
  let frames = 0;
  for await (const _ of connect(agent.url).telemetry()) if (++frames === 3) await agent.close();
  expect(frames).toBeGreaterThanOrEqual(3);
});

test('more than 64 waiting requests are refused, and taken again when some are done', async () => {
  agent = await serveTiny();
  const waiting = await Promise.all(Array.from({ length: 64 }, halfRequest));
  await untilWaiting(64);
  const refused = await send(agent.url, INFER, binaryRequest());
  expect(refused.status).toBe(503);
  expect(refused.json()).toMatchObject({ code: 'E_AGENT_BUSY' });
  waiting[0].socket.destroy();
  await untilWaiting(63);
  expect((await send(agent.url, INFER, binaryRequest())).status).toBe(200);
});
