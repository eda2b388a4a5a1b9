import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { slowPlan } from '../../../bench/agent/networks';
import { Worker } from '../../../lib/agent/worker/worker';
import { payloadPlaces, WORKER_FRAME, workerFrameLimits } from '../../../lib/agent/worker-protocol';
import { type WireFrame, WireFrameReader, writeWireFrame } from '../../../lib/protocol/frame';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hone-worker-'));
  writeFileSync(join(folder, 'slow.plan'), slowPlan(40));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A worker with an open plan, in this process. */
async function open(cancelLimitMs?: number) {
  const socket = new PassThrough();
  const worker = new Worker(join(folder, 'slow.plan'), socket as unknown as Socket, cancelLimitMs);
  const waiting: ((frame: WireFrame) => void)[] = [];
  const reader = new WireFrameReader(workerFrameLimits(1 << 20), (frame) => waiting.shift()!(frame));
  socket.on('data', (chunk: Uint8Array) => reader.push(chunk));
  const tell = (kind: number, id: number, json?: object, payload?: Uint8Array) => {
    for (const piece of writeWireFrame(kind, id, json, payload && [payload])) worker.push(piece);
  };
  const answer = () => new Promise<WireFrame>((resolve) => waiting.push(resolve));
  const opened = answer();
  tell(WORKER_FRAME.open, 1, { threads: 1, profileEvery: 0 });
  const { inputs } = (await opened).json as { inputs: { bytes: number }[] };
  const payload = new Uint8Array(payloadPlaces(inputs.map(({ bytes }) => bytes)).length);
  return { worker, tell, answer, payload };
}

test.each([
  ['has time to end', undefined, false],
  ['hangs when that is over', -1, true],
])('a cancelled run %s', async (_, limitMs, hangs) => {
  const { worker, tell, answer, payload } = await open(limitMs);
  const failed = answer();
  tell(WORKER_FRAME.run, 2, { threads: 1 }, payload);
  expect(worker.isHung).toBe(false);
  tell(WORKER_FRAME.cancel, 2);
  expect(worker.isHung).toBe(hangs);
  expect(await failed).toMatchObject({ kind: WORKER_FRAME.failed, json: { code: 'E_INTERRUPTED' } });
  expect(worker.isHung).toBe(false);
});
