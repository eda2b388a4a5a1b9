import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, connect as dial, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StartedWorker } from '../../../lib/agent/front/worker-launcher';
import { WorkerLink } from '../../../lib/agent/front/worker-link';
import { WORKER_FRAME, workerFrameLimits } from '../../../lib/agent/worker-protocol';
import { WireFrameReader, writeWireFrame } from '../../../lib/protocol/frame';

/** Two ends of a unix socket. */
async function socketPair(): Promise<[Socket, Socket]> {
  const folder = mkdtempSync(join(tmpdir(), 'hone-link-'));
  const server = createServer().listen(join(folder, 's'));
  await once(server, 'listening');
  const here = dial(join(folder, 's'));
  const [there] = (await once(server, 'connection')) as [Socket];
  server.close();
  rmSync(folder, { recursive: true, force: true });
  return [here, there];
}

const OPENED = { inputs: [], outputs: [], memory: {}, load: {}, cpu: 'none' };
const NO_LIMIT = 600_000;

/** A worker that answers frames by what `answers` has for their kind, and otherwise is silent. */
async function silent(answers: Readonly<Record<number, readonly [kind: number, json: object]>> = {}) {
  const [socket, there] = await socketPair();
  const asked: number[] = [];
  const reader = new WireFrameReader(workerFrameLimits(0), ({ kind, id }) => {
    asked.push(kind);
    const answer = answers[kind];
    if (answer) for (const piece of writeWireFrame(answer[0], id, answer[1])) there.write(piece);
  });
  there.on('data', (chunk) => reader.push(chunk));
  const ended = new Promise<string>((tell) => there.once('close', () => tell('it went')));
  let kills = 0;
  const started: StartedWorker = { socket, pid: () => 1234, limitBytes: () => 2 ** 30, kill: () => kills++, ended };
  return { started, there, asked, kills: () => kills };
}

const request = { threads: 1, profileEvery: 0 };
const opening = { [WORKER_FRAME.open]: [WORKER_FRAME.opened, { ...OPENED, pid: 1 }] } as const;

test('number and memory of a worker are what the system tells, whatever it says', async () => {
  const { started, there } = await silent(opening);
  const link = await WorkerLink.open(started, request);
  expect([link.pid, link.limitBytes]).toEqual([1234, 2 ** 30]);
  link.close();
  there.destroy();
});

test('a worker that does not open its plan in time is ended', async () => {
  const { started, there, kills } = await silent();
  const opened = WorkerLink.open(started, request, { openMs: 50, cancelMs: NO_LIMIT, endMs: NO_LIMIT });
  await expect(opened).rejects.toMatchObject({
    code: 'E_WORKER_ENDED',
    message: expect.stringContaining('it has not opened its plan in 0.05 s'),
  });
  expect(kills()).toBeGreaterThan(0);
  there.destroy();
});

test('a worker whose cancelled run goes on is ended', async () => {
  const { started, there, asked, kills } = await silent(opening);
  const link = await WorkerLink.open(started, request, { openMs: NO_LIMIT, cancelMs: 50, endMs: NO_LIMIT });
  const { answer, cancel } = link.run([], 1);
  cancel();
  await expect(answer).rejects.toMatchObject({ message: expect.stringContaining('an inference hangs') });
  expect(asked).toEqual([WORKER_FRAME.open, WORKER_FRAME.run, WORKER_FRAME.cancel]);
  expect(kills()).toBeGreaterThan(0);
  there.destroy();
});

test('a worker that closes its socket has ended, though its process goes on', async () => {
  const { started, there } = await silent(opening);
  const worker = { ...started, ended: new Promise<string>(() => {}) };
  const link = await WorkerLink.open(worker, request, { openMs: NO_LIMIT, cancelMs: NO_LIMIT, endMs: 50 });
  there.destroy();
  expect(await link.ended).toBe('it closed its socket');
});
