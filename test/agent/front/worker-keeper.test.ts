import { WorkerKeeper } from '../../../lib/agent/front/worker-keeper';
import type { WorkerLauncher } from '../../../lib/agent/front/worker-launcher';
import { HoneError } from '../../../lib/core/error';

const events = { ready: () => {}, ended: () => {} };
const request = { threads: 1, profileEvery: 0 };

/** A launcher that never gets a worker. */
function refusing(): { readonly launcher: WorkerLauncher; readonly closed: () => number } {
  let closed = 0;
  const launcher: WorkerLauncher = {
    start: async () => {
      throw new HoneError('E_WORKER_START', { reason: 'no more processes' });
    },
    close: () => {
      closed++;
    },
  };
  return { launcher, closed: () => closed };
}

test('a first worker that does not start is an error, and nothing is tried again', async () => {
  const { launcher, closed } = refusing();
  const keeper = new WorkerKeeper(launcher, request, events);
  await expect(keeper.start()).rejects.toMatchObject({ code: 'E_WORKER_START' });
  expect(keeper.status).toMatchObject({ state: 'closed', restarts: 0, retryMs: 0 });
  expect(keeper.ready).toBeUndefined();
  expect(closed()).toBe(1);
});

test('workers that do not come up are started again after delays that double', async () => {
  const { launcher } = refusing();
  const delays: number[] = [];
  const keeper = new WorkerKeeper(launcher, request, {
    ...events,
    ended: () => delays.push(Math.round(keeper.status.retryMs / 100) * 100),
  });
  // As after the end of a worker that had come up.
  (keeper as unknown as { next(how: string): void }).next('signal SIGKILL');
  while (delays.length < 4) await new Promise((resolve) => setTimeout(resolve, 10));
  keeper.close();
  expect(delays).toEqual([0, 100, 200, 400]);
  expect(keeper.status).toMatchObject({ state: 'closed', restarts: 4, reason: expect.stringContaining('no more') });
});
