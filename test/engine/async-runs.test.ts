import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { openSession, type Session } from '../../lib/engine/session';
import { PlanBuilder, ramp, smallNetwork } from './plans';

/** Many nodes over many numbers, and a count of runs in a state: long enough to be met on its way. */
function longNetwork(nodes = 60, elements = 1 << 18): Uint8Array {
  const b = new PlanBuilder();
  const x = b.input('x', 'float32', [elements]);
  const count = b.output('count', 'float32', [1]);
  const [before, after] = [b.state('float32', [1]), b.state('float32', [1])];
  b.states.push({ input: before, output: after });
  const one = b.constant(Float32Array.of(1));
  const add = { operation: 'add' } as const;
  b.node({ op: 'binary_f32', outputs: [after], inputs: [before, one], params: add });
  b.node({ op: 'binary_f32', outputs: [count], inputs: [before, one], params: add });
  const held = b.arena('float32', [elements]);
  for (let node = 0; node < nodes; node++)
    b.node({ op: 'unary_f32', outputs: [held], inputs: [node === 0 ? x : held], params: { operation: 'tanh' } });
  const y = b.output('y', 'float32', [elements]);
  return b.node({ op: 'unary_f32', outputs: [y], inputs: [held], params: { operation: 'abs' } }).write();
}

const LONG = longNetwork();
const X = ramp(1 << 18);
const IMAGE = { image: ramp(3 * 64) };

function open(plan = LONG, threads = 1): Session {
  return openSession(plan, { threads });
}

test('gives what a run gives, and the event loop goes on meanwhile', async () => {
  using session = open();
  let turns = 0;
  const turning = setInterval(() => turns++, 1);
  const found = await session.runAsync({ x: X });
  clearInterval(turning);
  expect(turns).toBeGreaterThan(0);
  session.reset();
  expect(found).toEqual(session.run({ x: X }));
});

test('sessions of one plan run at the same time, each its own inputs', async () => {
  const plan = smallNetwork().write();
  const sessions = Array.from({ length: 4 }, () => open(plan, 2));
  const feeds = sessions.map((_, index) => ({ image: ramp(3 * 64).map((value) => value / (index + 1)) }));
  const found = await Promise.all(sessions.map((session, index) => session.runAsync(feeds[index])));
  expect(found).toEqual(sessions.map((session, index) => session.run(feeds[index])));
  for (const session of sessions) session.close();
});

test('what the caller does with an array meanwhile does not matter', async () => {
  using session = open();
  const given = X.slice();
  const running = session.runAsync({ x: given });
  given.fill(7);
  structuredClone(given, { transfer: [given.buffer] });
  const found = await running;
  session.reset();
  expect(found).toEqual(session.run({ x: X }));
});

test('while one is under way the session is busy, and usable again behind it', async () => {
  using session = open();
  const buffers = { x: X.slice(), count: new Float32Array(1), y: new Float32Array(X.length) };
  const bound = session.bind({ x: buffers.x }, { count: buffers.count, y: buffers.y });
  const running = session.runAsync({ x: X });
  const busy = expect.objectContaining({ code: 'E_SESSION_BUSY' });
  for (const use of [
    () => session.run({ x: X }),
    bound,
    () => session.dump({ x: X }),
    () => session.reset(),
    () => session.profile(),
  ])
    expect(use).toThrow(busy);
  await expect(session.runAsync({ x: X })).rejects.toThrow(busy);
  await running;
  bound();
  expect(buffers.count[0]).toBe(2);
});

test('an abort ends it between two nodes; states stay, and the next run is whole', async () => {
  using session = open();
  const expected = session.run({ x: X });
  const controller = new AbortController();
  const running = session.runAsync({ x: X }, { signal: controller.signal });
  setTimeout(() => controller.abort(), 2);
  await expect(running).rejects.toMatchObject({ code: 'E_INTERRUPTED' });
  const next = await session.runAsync({ x: X });
  expect(next.count[0]).toBe(2);
  expect(next.y).toEqual(expected.y);
  await expect(session.runAsync({ x: X }, { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'E_INTERRUPTED',
  });
});

test('closing ends it', async () => {
  const session = open();
  const running = session.runAsync({ x: X });
  session.close();
  await expect(running).rejects.toMatchObject({ code: 'E_INTERRUPTED' });
  await expect(session.runAsync({ x: X })).rejects.toMatchObject({ code: 'E_SESSION_CLOSED' });
});

test('feeds are checked before anything runs', async () => {
  using session = open(smallNetwork().write());
  await expect(session.runAsync({ image: IMAGE.image.subarray(1) })).rejects.toMatchObject({ code: 'E_INPUT_LENGTH' });
  await expect(session.runAsync({ other: IMAGE.image })).rejects.toMatchObject({ code: 'E_INPUT_NAME' });
  expect(await session.runAsync(IMAGE)).toEqual(session.run(IMAGE));
});

test('a thread that ends while one is under way takes nothing with it', async () => {
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    const { openSession } = require(workerData.session);
    openSession(workerData.plan).runAsync({ x: workerData.x });
    parentPort.postMessage('running');`;
  const session = join(__dirname, '../../dist/lib/engine/session.js');
  for (let round = 0; round < 5; round++) {
    const worker = new Worker(code, { eval: true, workerData: { session, plan: LONG, x: X } });
    await new Promise((resolve) => worker.once('message', resolve));
    await worker.terminate();
  }
  using own = open();
  expect((await own.runAsync({ x: X })).count[0]).toBe(1);
});

test('fewer threads may take part, and give the same bytes; other numbers are refused', async () => {
  using session = open(smallNetwork().write(), 4);
  const expected = session.run(IMAGE);
  for (const threads of [1, 3, 4]) {
    session.limitThreads(threads);
    expect(session.run(IMAGE)).toEqual(expected);
    expect(await session.runAsync(IMAGE)).toEqual(expected);
  }
  for (const threads of [0, 65, 1.5, Number.NaN])
    expect(() => session.limitThreads(threads)).toThrow(expect.objectContaining({ code: 'E_OPTION_VALUE' }));
  const running = session.runAsync(IMAGE);
  expect(() => session.limitThreads(1)).toThrow(expect.objectContaining({ code: 'E_SESSION_BUSY' }));
  await running;
});
