import { mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect as dial, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { ControlServer, converse, type SupervisorService } from '../../../lib/agent/supervisor/control-server';
import { connectSupervisor, openSupervisor } from '../../../lib/client/supervisor-client';
import { HoneError } from '../../../lib/core/error';
import type { AgentStatus } from '../../../lib/protocol/agent-status';
import { type WireFrame, WireFrameReader, writeWireFrame } from '../../../lib/protocol/frame';
import { ANSWER_LIMITS, SUPERVISOR_FRAME, SUPERVISOR_PROTOCOL } from '../../../lib/protocol/supervisor-frames';

/** A service that remembers what it was told; loading `slow` lasts until it is let go. */
function serviceOf(): SupervisorService & { readonly told: string[]; letGo: () => void } {
  const told: string[] = [];
  let letGo = () => {};
  const slow = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  return {
    told,
    letGo: () => letGo(),
    index: async () => [{ name: 'a', version: '1', state: 'READY', reason: '' }],
    load: async (model, version) => {
      told.push(`load ${model} ${version}`);
      if (model === 'slow') await slow;
      if (model === 'none') throw new HoneError('E_MODEL_UNKNOWN', { model, known: 'a version 1' });
      if (model === 'odd') throw new HoneError('E_INTERNAL', { message: 'x', size: 2n ** 40n });
    },
    unload: async (model, version) => {
      told.push(`unload ${model} ${version}`);
    },
    status: async () => ({ pid: 7 }) as AgentStatus,
  };
}

/** Two ends of a pair of pipes, as ssh gives them. */
function pipes(): { readonly there: [Readable, Writable]; readonly here: [Readable, Writable] } {
  const [to, from] = [new PassThrough(), new PassThrough()];
  return { there: [to, from], here: [from, to] };
}

/** Frames that come out of a stream, and whether it has ended. */
function heard(stream: Readable): { readonly frames: WireFrame[]; readonly ended: Promise<void> } {
  const frames: WireFrame[] = [];
  const reader = new WireFrameReader(ANSWER_LIMITS, (frame) => frames.push(frame));
  stream.on('data', (chunk: Uint8Array) => reader.push(chunk));
  stream.on('error', () => {});
  return { frames, ended: new Promise((resolve) => stream.once('close', resolve)) };
}

const write = (stream: Writable, kind: number, id: number, json?: unknown) => {
  for (const piece of writeWireFrame(kind, id, json)) stream.write(piece);
};
const greet = (stream: Writable) => write(stream, SUPERVISOR_FRAME.hello, 1, { protocol: SUPERVISOR_PROTOCOL });

test('a supervisor is asked over any pair of streams', async () => {
  const service = serviceOf();
  const { there, here } = pipes();
  converse(...there, service, '1.2.3');
  const client = await openSupervisor(...here, 'the pipe');
  expect(await client.list()).toEqual([{ name: 'a', version: '1', state: 'READY', reason: '' }]);
  expect(await client.status()).toEqual({ pid: 7 });
  await client.load('a');
  await client.unload('a', '2');
  expect(service.told).toEqual(['load a undefined', 'unload a 2']);
  await expect(client.load('none')).rejects.toMatchObject({
    code: 'E_MODEL_UNKNOWN',
    details: { known: 'a version 1' },
  });
  await expect(client.load('odd')).rejects.toMatchObject({ code: 'E_INTERNAL', details: { size: 2 ** 40 } });
  client.close();
  await expect(client.list()).rejects.toMatchObject({ code: 'E_AGENT_UNREACHABLE' });
});

test('a request that lasts holds up no other', async () => {
  const service = serviceOf();
  const { there, here } = pipes();
  converse(...there, service, '1.2.3');
  const client = await openSupervisor(...here, 'the pipe');
  let isLoaded = false;
  const load = client.load('slow').then(() => {
    isLoaded = true;
  });
  expect(await client.list()).toHaveLength(1);
  expect(isLoaded).toBe(false);
  service.letGo();
  await load;
  client.close();
});

describe('is refused and ends the connection:', () => {
  const big = writeWireFrame(SUPERVISOR_FRAME.load, 2, { model: 'x'.repeat(70_000) });
  test.each<[what: string, send: (stream: Writable) => void, code: string, text: RegExp]>([
    [
      'a request before the greeting',
      (stream) => write(stream, SUPERVISOR_FRAME.list, 3),
      'E_FRAME_FORMAT',
      /greeting/,
    ],
    ['a greeting without a version', (stream) => write(stream, 1, 3, {}), 'E_FRAME_FORMAT', /greeting/],
    ['another version', (stream) => write(stream, 1, 3, { protocol: 99 }), 'E_PROTOCOL_VERSION', /99/],
    ['bytes that are no frame', (stream) => stream.write('GET / HTTP/1.1\r\n\r\n'), 'E_FRAME_FORMAT', /head/],
    [
      'too large a request',
      (stream) => {
        greet(stream);
        for (const piece of big) stream.write(piece);
      },
      'E_FRAME_FORMAT',
      /bytes of JSON where 65536/,
    ],
    [
      'a payload',
      (stream) => {
        greet(stream);
        for (const piece of writeWireFrame(SUPERVISOR_FRAME.list, 2, {}, [new Uint8Array(1)])) stream.write(piece);
      },
      'E_FRAME_FORMAT',
      /payload of 1 bytes where 0/,
    ],
  ])('%s', async (_, send, code, text) => {
    const { there, here } = pipes();
    const { frames, ended } = heard(here[0]);
    converse(...there, serviceOf(), '1.2.3');
    send(here[1]);
    await ended;
    const { kind, json } = frames.at(-1)!;
    expect(kind).toBe(SUPERVISOR_FRAME.failed);
    expect(json).toMatchObject({ code });
    expect(JSON.stringify(json)).toMatch(text);
  });
});

test.each<[what: string, kind: number, json: unknown]>([
  ['a kind that is none', 99, {}],
  ['no model', SUPERVISOR_FRAME.load, {}],
  ['a model that is no text', SUPERVISOR_FRAME.load, { model: 1 }],
  ['a version that is no text', SUPERVISOR_FRAME.unload, { model: 'a', version: 1 }],
  ['a key that is not known', SUPERVISOR_FRAME.unload, { model: 'a', versoin: '1' }],
])('a request with %s is refused, and the next is answered', async (_, kind, json) => {
  const { there, here } = pipes();
  const { frames } = heard(here[0]);
  const service = serviceOf();
  converse(...there, service, '1.2.3');
  greet(here[1]);
  write(here[1], kind, 2, json);
  write(here[1], SUPERVISOR_FRAME.list, 3);
  while (frames.length < 3) await new Promise((resolve) => setImmediate(resolve));
  expect(frames.slice(1).map(({ id, kind }) => [id, kind])).toEqual([
    [2, SUPERVISOR_FRAME.failed],
    [3, SUPERVISOR_FRAME.answer],
  ]);
  expect(frames[1].json).toMatchObject({ code: 'E_FRAME_FORMAT' });
  expect(service.told).toEqual([]);
  here[1].end();
});

test('more requests at once than a connection may have are refused; what was asked before its end is answered', async () => {
  const { there, here } = pipes();
  const { frames, ended } = heard(here[0]);
  const service = serviceOf();
  converse(...there, service, '1.2.3');
  greet(here[1]);
  for (let id = 2; id <= 18; id++) write(here[1], SUPERVISOR_FRAME.load, id, { model: 'slow' });
  here[1].end();
  while (frames.length < 2) await new Promise((resolve) => setImmediate(resolve));
  expect(frames[1]).toMatchObject({ id: 18, json: { code: 'E_AGENT_BUSY' } });
  service.letGo();
  await ended;
  expect(frames.slice(2).map(({ id }) => id)).toEqual(Array.from({ length: 16 }, (_, index) => index + 2));
});

describe('a connection is closed that', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });
  const turns = async () => {
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  };

  test.each<[what: string, limitMs: number, send: (stream: Writable) => void]>([
    ['says nothing from the start', 5000, () => {}],
    ['asks nothing for long', 60_000, greet],
  ])('%s', async (_, limitMs, send) => {
    const { there, here } = pipes();
    here[0].resume();
    converse(...there, serviceOf(), '1.2.3');
    send(here[1]);
    await turns();
    jest.advanceTimersByTime(limitMs - 1);
    await turns();
    expect(there[0].destroyed).toBe(false);
    jest.advanceTimersByTime(1);
    await turns();
    expect(there[0].destroyed).toBe(true);
  });

  test('reads none of its answers', async () => {
    const { there, here } = pipes();
    const large = { ...serviceOf(), status: async () => ({ text: 'x'.repeat(700_000) }) as unknown as AgentStatus };
    converse(...there, large, '1.2.3');
    greet(here[1]);
    write(here[1], SUPERVISOR_FRAME.status, 2);
    await turns();
    expect(there[0].destroyed).toBe(false);
    write(here[1], SUPERVISOR_FRAME.status, 3);
    await turns();
    expect(there[0].destroyed).toBe(true);
  });

  test('waits long for an answer, but only once it is there', async () => {
    const { there, here } = pipes();
    const { frames } = heard(here[0]);
    const service = serviceOf();
    converse(...there, service, '1.2.3');
    greet(here[1]);
    write(here[1], SUPERVISOR_FRAME.load, 2, { model: 'slow' });
    await turns();
    jest.advanceTimersByTime(300_000);
    service.letGo();
    await turns();
    expect(frames.map(({ id }) => id)).toEqual([1, 2]);
    jest.advanceTimersByTime(60_000);
    await turns();
    expect(there[0].destroyed).toBe(true);
  });
});

describe('a supervisor that', () => {
  test.each<[what: string, answer: (stream: Writable) => void, code: string]>([
    ['says nothing and goes', (stream) => stream.end(), 'E_AGENT_UNREACHABLE'],
    ['speaks something else', (stream) => stream.write('SSH-2.0-x\r\n and more'), 'E_FRAME_FORMAT'],
    ['answers what nobody asked', (stream) => write(stream, SUPERVISOR_FRAME.answer, 9, {}), 'E_FRAME_FORMAT'],
    ['refuses', (stream) => write(stream, SUPERVISOR_FRAME.failed, 0, { code: 'E_AGENT_BUSY' }), 'E_AGENT_BUSY'],
    [
      'refuses by a code of tomorrow',
      (stream) => write(stream, SUPERVISOR_FRAME.failed, 1, { code: 'E_X' }),
      'E_INTERNAL',
    ],
  ])('%s is told of', async (_, answer, code) => {
    const { there, here } = pipes();
    there[0].resume();
    answer(there[1]);
    await expect(openSupervisor(...here, 'it')).rejects.toMatchObject({ code });
  });
});

describe('the socket', () => {
  let folder: string;
  let path: string;
  let server: ControlServer | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hone-control-'));
    path = join(folder, 'it.sock');
  });
  afterEach(async () => {
    await server?.close();
    server = undefined;
    rmSync(folder, { recursive: true });
  });
  const listen = async (mode = 0o660) => {
    server = await ControlServer.listen(path, mode, serviceOf(), '1.2.3');
  };

  test.each([
    ['600', 0o600],
    ['660', 0o660],
  ])('has the mode %s', async (_, mode) => {
    await listen(mode);
    expect(statSync(path).mode & 0o777).toBe(mode);
  });

  test('serves several at once; those who say or read nothing cost only themselves', async () => {
    await listen();
    const silent = dial(path);
    const deaf = dial(path);
    deaf.pause();
    greet(deaf);
    for (let id = 2; id < 2000; id++) write(deaf, SUPERVISOR_FRAME.list, id);
    const [one, two] = await Promise.all([connectSupervisor(path), connectSupervisor(path)]);
    expect(await Promise.all([one.list(), two.list()])).toHaveLength(2);
    for (const end of [one, two]) end.close();
    for (const end of [silent, deaf]) end.destroy();
  });

  test('refuses more connections than it may have, in words, and takes others when some are gone', async () => {
    await listen();
    const sockets: Socket[] = Array.from({ length: 16 }, () => dial(path));
    await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.once('connect', () => resolve()))));
    await expect(connectSupervisor(path)).rejects.toMatchObject({ code: 'E_AGENT_BUSY' });
    for (const socket of sockets) socket.destroy();
    const again = async () => {
      for (;;) {
        const client = await connectSupervisor(path).catch(() => undefined);
        if (client !== undefined) return client;
      }
    };
    (await again()).close();
  });

  test('takes the place of one that a killed agent left, not of one that answers, nor of a file', async () => {
    await listen();
    await expect(ControlServer.listen(path, 0o600, serviceOf(), '1')).rejects.toMatchObject({ code: 'E_AGENT_PORT' });
    (await connectSupervisor(path)).close();
    // Moved away it is not removed when its server goes, as that of a killed process.
    renameSync(path, `${path}.old`);
    await server?.close();
    renameSync(`${path}.old`, path);
    await listen();
    (await connectSupervisor(path)).close();
    await server?.close();
    server = undefined;
    writeFileSync(path, 'mine');
    await expect(listen()).rejects.toMatchObject({ code: 'E_AGENT_PORT' });
    expect(statSync(path).isFile()).toBe(true);
  });

  test('that nobody listens at is told of', async () => {
    await expect(connectSupervisor(path)).rejects.toMatchObject({ code: 'E_AGENT_UNREACHABLE' });
  });
});
