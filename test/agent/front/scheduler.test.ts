import { ModelQueue, type Waiting } from '../../../lib/agent/front/model-queue';
import { Scheduler } from '../../../lib/agent/front/scheduler';
import type { ServedModel } from '../../../lib/agent/front/served-model';

interface Run {
  readonly model: string;
  readonly threads: number;
  end(): void;
}

/** A scheduler over models whose runs end when the test says so. */
function stage(cores: number) {
  const scheduler = new Scheduler(cores);
  const runs: Run[] = [];
  const model = (name: string, threads: number, follows = false) => {
    const queue = new ModelQueue<Waiting>(100);
    const under = { count: 0 };
    const made = {
      settings: { threads },
      queue,
      get running() {
        return under.count;
      },
      get canRun() {
        return under.count === 0 && queue.size > 0;
      },
      get canFollow() {
        return follows && under.count === 1 && queue.size > 0;
      },
      run(granted: number) {
        queue.take(1);
        under.count++;
        return new Promise<void>((resolve) => {
          const end = () => {
            under.count--;
            resolve();
          };
          runs.push({ model: name, threads: granted, end });
        });
      },
    };
    scheduler.add(made as unknown as ServedModel);
    return (priority = 2, deadlineNs = 100) => {
      queue.add({ priority, deadlineNs, rows: 1 });
      scheduler.wake();
    };
  };
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { scheduler, runs, model, settled, told: () => runs.map((run) => `${run.model}${run.threads}`).join(' ') };
}

test('runs start within the cores there are, the most urgent first', async () => {
  const { scheduler, runs, model, settled, told } = stage(3);
  const [a, b, c] = [model('a', 2), model('b', 2), model('c', 1)];
  a(2, 300);
  b(2, 200);
  c(1, 900);
  await settled();
  // c by priority, b by deadline; a waits, though one model more could have had a core.
  expect(told()).toBe('c1 b2');
  expect(scheduler.cores.free).toBe(0);
  runs[1].end();
  await settled();
  expect(told()).toBe('c1 b2 a2');
  runs[0].end();
  runs[2].end();
  await settled();
  expect(scheduler.cores.free).toBe(3);
});

test('a run takes what is free of what it wants', async () => {
  const { model, settled, told } = stage(3);
  const [a, b] = [model('a', 2), model('b', 2)];
  a();
  b();
  await settled();
  expect(told()).toBe('a2 b1');
});

test('short runs follow each other on the cores that they have, unless another waits for cores', async () => {
  const { scheduler, runs, model, settled, told } = stage(1);
  const [a, b] = [model('a', 1, true), model('b', 1)];
  a();
  await settled();
  a();
  await settled();
  expect(told()).toBe('a1 a1');
  expect(scheduler.cores.free).toBe(0);
  a();
  b();
  runs[0].end();
  await settled();
  expect(told()).toBe('a1 a1');
  runs[1].end();
  await settled();
  expect(told()).toBe('a1 a1 a1');
  runs[2].end();
  await settled();
  expect(told()).toBe('a1 a1 a1 b1');
  runs[3].end();
  await settled();
  expect(scheduler.cores.free).toBe(1);
});
