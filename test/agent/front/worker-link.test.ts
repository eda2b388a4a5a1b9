import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, connect as dial, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WorkerLink } from '../../../lib/agent/front/worker-link';
import { WORKER_FRAME } from '../../../lib/agent/worker-protocol';
import { writeWireFrame } from '../../../lib/protocol/frame';

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

test.each<[what: string, pid: number | undefined, expected: number]>([
  ['that of its launcher, whatever the worker says', 1234, 1234],
  ['what the worker says where its launcher cannot know', undefined, 1],
])('the number of a worker is %s', async (_, pid, expected) => {
  const [socket, worker] = await socketPair();
  const opened = { pid: 1, inputs: [], outputs: [], memory: {}, load: {}, cpu: 'none' };
  worker.once('data', () => {
    for (const piece of writeWireFrame(WORKER_FRAME.opened, 1, opened)) worker.write(piece);
  });
  const ended = new Promise<string>((tell) => worker.once('close', () => tell('it went')));
  const link = await WorkerLink.open({ socket, pid, kill: () => {}, ended }, { threads: 1, profileEvery: 0 });
  expect(link.about.pid).toBe(expected);
  link.close();
  worker.destroy();
  await ended;
});
