import { once } from 'node:events';
import { createServer, connect as openSocket, type Socket } from 'node:net';
import type { Agent } from '../../lib/agent/agent';
import { connect } from '../../lib/client/client';
import { binaryRequest, INFER, send, serveTiny, tinyPlan, untilStatus } from './served';

let agent: Agent | undefined;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await agent?.close();
});

/** A connection that has sent the head of an inference request and half of its body. */
async function halfRequest(): Promise<{ readonly socket: Socket; finish(): Promise<string> }> {
  const { headers, body } = binaryRequest() as { headers: Record<string, string>; body: Buffer };
  const socket = await connection();
  const lines = Object.entries({ host: 'localhost', 'content-length': body.length, ...headers });
  socket.write(`POST ${INFER} HTTP/1.1\r\n${lines.map(([key, value]) => `${key}: ${value}\r\n`).join('')}\r\n`);
  socket.write(body.subarray(0, 20));
  return {
    socket,
    finish() {
      socket.write(body.subarray(20));
      return everything(socket);
    },
  };
}

async function connection(): Promise<Socket> {
  const socket = openSocket(Number(new URL(agent!.url).port), '127.0.0.1');
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
}

/** What comes until the other end closes; a reset is an error. */
async function everything(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('latin1');
}

const uploads = (count: number) => untilStatus(agent!.url, (status) => status.uploads === count);

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

test.each([
  ...['', 'a/b', 'a\nb', 'x'.repeat(201)].map((model) => ({ model })),
  ...['*', 'null', 'localhost:3000', 'http://localhost:3000/'].map((origin) => ({ origins: [origin] })),
  ...[{ queue: 0 }, { timeoutMs: 0.5 }, { cores: 0 }],
])('refuses %j', async (options) => {
  await expect(serveTiny(options)).rejects.toMatchObject({ code: 'E_OPTION_VALUE' });
});

test('a broken plan is refused with what is wrong with it', async () => {
  const plan = tinyPlan();
  plan[plan.length - 1] ^= 1;
  await expect(serveTiny({ plan })).rejects.toMatchObject({ code: 'E_PLAN_FORMAT' });
});

test('a plan that is not there is refused by its path', async () => {
  await expect(serveTiny({ plan: '/nowhere/model.plan' })).rejects.toMatchObject({
    code: 'E_FILE_NOT_FOUND',
    message: expect.stringContaining('/nowhere/model.plan'),
  });
});

test('stops after the running requests are answered; probes and new requests hear of it', async () => {
  agent = await serveTiny();
  const begun = await halfRequest();
  await uploads(1);
  const { headers, body } = binaryRequest();
  const probes = await Promise.all([
    keptOpen('GET', '/v2/health/live'),
    keptOpen('GET', '/v2/health/ready'),
    keptOpen('GET', '/v2/models/tiny/ready'),
    keptOpen('POST', INFER, headers, body),
  ]);
  const closed = agent.close();
  const [answer, ...heard] = await Promise.all([begun.finish(), ...probes.map((ask) => ask())]);
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(heard).toEqual([
    [200, { live: true }],
    [503, { ready: false }],
    [503, { name: 'tiny', ready: false }],
    [503, expect.objectContaining({ code: 'E_AGENT_STOPPING' })],
  ]);
  await closed;
  await expect(send(agent.url, '/v2')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await agent.close();
});

/** Opens a connection with the first bytes of a request; the function sends the rest and reads the answer. */
async function keptOpen(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body: Uint8Array | string = '',
): Promise<() => Promise<[number, unknown]>> {
  const socket = await connection();
  const lines = Object.entries({ host: 'localhost', 'content-length': body.length, ...headers });
  socket.write(`${method} ${path} HTTP/1.1\r\n${lines.map(([key, value]) => `${key}: ${value}\r\n`).join('')}X: `);
  await new Promise((resolve) => setTimeout(resolve, 50));
  return async () => {
    socket.write('y\r\n\r\n');
    socket.write(body);
    const [head, json] = (await everything(socket)).split('\r\n\r\n');
    return [Number(head.split(' ')[1]), JSON.parse(json)];
  };
}

test('a client that never finishes does not hold the agent, and is told in words', async () => {
  agent = await serveTiny();
  const { socket } = await halfRequest();
  await uploads(1);
  const heard = everything(socket);
  await agent.close();
  expect(await heard).toMatch(/^HTTP\/1\.1 503 [\s\S]*E_AGENT_STOPPING/);
}, 15000);

test('what was sent before the agent stops is answered, request after request on one connection', async () => {
  agent = await serveTiny();
  const { headers, body } = binaryRequest() as { headers: Record<string, string>; body: Buffer };
  const lines = Object.entries({ host: 'localhost', 'content-length': body.length, ...headers });
  const head = `POST ${INFER} HTTP/1.1\r\n${lines.map(([key, value]) => `${key}: ${value}\r\n`).join('')}\r\n`;
  const one = Buffer.concat([Buffer.from(head), body]);
  const pipelined = await Promise.all(Array.from({ length: 8 }, () => connection()));
  for (const socket of pipelined) socket.write(Buffer.concat(Array.from({ length: 10 }, () => one)));
  const heard = pipelined.map(everything);
  await agent.close();
  for (const text of await Promise.all(heard)) {
    const statuses = text.match(/HTTP\/1\.1 \d+/g);
    expect(statuses).toHaveLength(10);
    for (const status of statuses!) expect(['HTTP/1.1 200', 'HTTP/1.1 503']).toContain(status);
  }
});

test('a stream ends when the agent does', async () => {
  agent = await serveTiny({ intervalMs: 10 });
  let frames = 0;
  for await (const _ of connect(agent.url).telemetry()) if (++frames === 3) await agent.close();
  expect(frames).toBeGreaterThanOrEqual(3);
});

test('any number of stalled uploads shuts nobody out', async () => {
  agent = await serveTiny();
  await Promise.all(Array.from({ length: 200 }, halfRequest));
  await uploads(200);
  expect((await send(agent.url, INFER, binaryRequest())).status).toBe(200);
});
