import { slowPlan, slowRequest } from '../../bench/agent/networks';
import { type Agent, startAgent } from '../../lib/agent/agent';
import { holdWorker, send, untilStatus } from './served';

const INFER = '/v2/models/slow/infer';

let agent: Agent;
afterEach(() => agent.close());

/** With time enough for whatever is held, also on a busy machine: what is refused for its deadline has tests of its own. */
const serve = (nodes: number, options: object = {}) =>
  startAgent({ model: 'slow', plan: slowPlan(nodes), timeoutMs: 600_000, ...options });
const ready = () => untilStatus(agent.url, ({ models }) => models[0].state === 'ready');
const running = () => untilStatus(agent.url, ({ models }) => models[0].running === 1);

describe('a worker that dies', () => {
  test.each(['SIGKILL', 'SIGSEGV'] as const)(
    'by %s takes its running request alone, and another follows',
    async (signal) => {
      agent = await serve(80);
      const { pid, go } = await holdWorker(agent.url);
      const first = send(agent.url, INFER, slowRequest(1));
      await running();
      const second = send(agent.url, INFER, slowRequest(0));
      await untilStatus(agent.url, ({ models }) => models[0].waiting === 1);
      process.kill(pid, signal);
      if (signal !== 'SIGKILL') go();
      const refused = await first;
      expect(refused.status).toBe(503);
      expect(refused.json()).toMatchObject({ code: 'E_WORKER_ENDED', error: expect.stringContaining(signal) });
      expect((await second).json()).toMatchObject({ outputs: [{ data: [0] }] });
      const [after] = (await ready()).models;
      expect(after).toMatchObject({ restarts: 1, reason: expect.stringContaining(signal) });
      expect(after.pid).not.toBe(pid);
    },
  );

  test('leaves nothing behind when the agent stops', async () => {
    agent = await serve(1);
    const [{ pid }] = (await ready()).models;
    await agent.close();
    const gone = () => {
      try {
        process.kill(pid!, 0);
        return false;
      } catch {
        return true;
      }
    };
    while (!gone()) await new Promise((resolve) => setTimeout(resolve, 5));
  });
});

describe('a deadline', () => {
  test('ends a run between two nodes, and the worker is free again', async () => {
    agent = await serve(150);
    const [{ pid }] = (await ready()).models;
    const late = await send(agent.url, INFER, slowRequest(1, { timeout: 50_000 }));
    expect(late.status).toBe(504);
    expect(late.json()).toMatchObject({ code: 'E_DEADLINE' });
    const idle = await untilStatus(agent.url, ({ models }) => models[0].running === 0);
    expect(idle.models[0].pid).toBe(pid);
  });

  test('that cannot be met is refused at once, with the time after which to try again', async () => {
    agent = await serve(40, { timeoutMs: 60_000 });
    expect((await send(agent.url, INFER, slowRequest(1))).status).toBe(200);
    const { go } = await holdWorker(agent.url);
    const others = Array.from({ length: 4 }, () => send(agent.url, INFER, slowRequest(1)));
    await untilStatus(agent.url, ({ models }) => models[0].waiting === 3);
    const refused = await send(agent.url, INFER, slowRequest(1, { timeout: 1000 }));
    expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': expect.stringMatching(/^[1-9]\d*$/) } });
    expect(refused.json()).toMatchObject({ code: 'E_QUEUE_FULL' });
    go();
    expect((await Promise.all(others)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });
});

test('clients that ask for less time than a run takes do not narrow the queue of others', async () => {
  agent = await serve(10, { timeoutMs: 600_000 });
  for (let probe = 0; probe < 5; probe++) {
    expect((await send(agent.url, INFER, slowRequest(1, { timeout: 1 }))).json()).toMatchObject({ code: 'E_DEADLINE' });
    await untilStatus(agent.url, ({ models }) => models[0].running === 0);
  }
  const { go } = await holdWorker(agent.url);
  const others = Array.from({ length: 12 }, () => send(agent.url, INFER, slowRequest(1)));
  // A request that is refused is answered while the worker is held.
  await Promise.race([untilStatus(agent.url, ({ models }) => models[0].waiting === 11), ...others]);
  go();
  expect((await Promise.all(others)).map(({ status }) => status)).toEqual(new Array(12).fill(200));
});

test('a full queue refuses what comes, and takes again when there is room', async () => {
  agent = await serve(80, { queue: 2 });
  const { go } = await holdWorker(agent.url);
  const first = send(agent.url, INFER, slowRequest(1));
  await running();
  const waiting = [send(agent.url, INFER, slowRequest(1)), send(agent.url, INFER, slowRequest(1))];
  await untilStatus(agent.url, ({ models }) => models[0].waiting === 2);
  expect(await send(agent.url, INFER, slowRequest(1))).toMatchObject({ status: 503 });
  go();
  for (const answer of [first, ...waiting]) expect((await answer).status).toBe(200);
  expect((await send(agent.url, INFER, slowRequest(1))).status).toBe(200);
});

test('priorities go first, whenever they came', async () => {
  agent = await serve(40);
  const { go } = await holdWorker(agent.url);
  const order: number[] = [];
  const ask = (priority: number) =>
    send(agent.url, INFER, slowRequest(1, { priority })).then(({ status }) => {
      expect(status).toBe(200);
      order.push(priority);
    });
  const first = ask(3);
  await running();
  const rest: Promise<void>[] = [];
  for (const [index, priority] of [3, 0, 1].entries()) {
    rest.push(ask(priority));
    await untilStatus(agent.url, ({ models }) => models[0].waiting === index + 1);
  }
  go();
  await Promise.all([first, ...rest]);
  expect(order).toEqual([3, 1, 0, 3]);
});

test('what a client leaves behind leaves the queue and the engine', async () => {
  agent = await serve(150);
  const { go } = await holdWorker(agent.url);
  const requests = [slowRequest(1), slowRequest(1)].map(({ headers, body }) => {
    const stop = new AbortController();
    const answer = fetch(agent.url + INFER, { method: 'POST', headers, body, signal: stop.signal }).catch(() => {});
    return { stop, answer };
  });
  await untilStatus(agent.url, ({ models }) => models[0].running === 1 && models[0].waiting === 1);
  for (const { stop } of requests) stop.abort();
  await untilStatus(agent.url, ({ models }) => models[0].waiting === 0);
  go();
  await untilStatus(agent.url, ({ models }) => models[0].running + models[0].waiting === 0);
  // A run that had gone on to its end would be in the statistics.
  const { model_stats } = (await send(agent.url, '/v2/models/slow/stats')).json() as {
    model_stats: [{ execution_count: number }];
  };
  expect(model_stats[0].execution_count).toBe(0);
});

describe('batches', () => {
  test('requests that wait together run together, each with its own rows', async () => {
    agent = await startAgent({ model: 'slow', plan: slowPlan(10, 8), batch: true, timeoutMs: 600_000 });
    expect((await send(agent.url, '/v2/models/slow')).json()).toMatchObject({ inputs: [{ shape: [-1, 384, 1] }] });
    const ask = async (value: number, rows: number) =>
      (await send(agent.url, INFER, slowRequest(value, {}, rows))).json() as {
        outputs: [{ shape: number[]; data: number[] }];
      };
    const [alone] = (await ask(0.5, 1)).outputs;
    expect(alone).toMatchObject({ shape: [1, 1, 1], data: [0.5] });
    const { go } = await holdWorker(agent.url);
    const first = ask(0.25, 8);
    await running();
    const rest = [ask(0, 3), ask(0.5, 1), ask(1, 2)];
    await untilStatus(agent.url, ({ models }) => models[0].waiting === 3);
    go();
    expect((await first).outputs[0].data).toHaveLength(8);
    const [zeros, one, two] = (await Promise.all(rest)).map(({ outputs }) => outputs[0].data);
    expect([zeros, one, two]).toEqual([[0, 0, 0], [0.5], [1, 1]]);
    const { model_stats } = (await send(agent.url, '/v2/models/slow/stats')).json() as {
      model_stats: [{ batch_stats: object[] }];
    };
    expect(model_stats[0].batch_stats).toContainEqual(expect.objectContaining({ batch_size: 3 }));
  });

  test('a request of more rows than the batch has is refused', async () => {
    agent = await startAgent({ model: 'slow', plan: slowPlan(1, 2), batch: true });
    const refused = await send(agent.url, INFER, slowRequest(1, {}, 3));
    expect(refused.json()).toMatchObject({ code: 'E_INPUT_SHAPE' });
  });

  test('a plan without one is refused', async () => {
    agent = await serve(1);
    await expect(serve(1, { batch: true })).rejects.toMatchObject({ code: 'E_BATCH' });
  });
});
