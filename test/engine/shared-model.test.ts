import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSession } from '../../lib/engine/session';
import { writePlan } from '../../lib/plan/writer';
import { GRID, PlanBuilder, ramp, smallNetwork } from './plans';

const ADDON = join(__dirname, '../../build', `${process.platform}-${process.arch}`, 'Release/hone.node');
const SIDE = 4096;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hone-shared-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** One fully connected layer of 16 MB; variant 1 has two rows. */
function wideLayer(): Uint8Array {
  const builders = [1, 2].map((rows) => {
    const b = new PlanBuilder();
    const [x, y] = [b.input('x', 'int8', [rows, SIDE], GRID), b.output('y', 'int8', [rows, SIDE], GRID)];
    const weights = Int8Array.from({ length: SIDE * SIDE }, (_, i) => ((i * 31) % 7) - 3);
    const inputs = [
      x,
      b.constant(weights, [SIDE, SIDE]),
      b.constant(new Int32Array(SIDE)),
      b.constant(new Float32Array(SIDE).fill(0.01)),
    ];
    return b.node({ op: 'fc_s8', outputs: [y], inputs, params: {} });
  });
  return writePlan({ ...builders[0].describe(), variants: builders.map((b, i) => b.variant(`rows${i + 1}`)) });
}

test('two sessions, a third of another variant, and four worker threads of one model keep its weights once', () => {
  const path = join(folder, 'wide.plan');
  writeFileSync(path, wideLayer());
  const script = join(folder, 'alone.cjs');
  writeFileSync(
    script,
    `const { Worker, isMainThread, parentPort } = require('node:worker_threads');
    const { Session } = require(${JSON.stringify(ADDON)});
    const path = ${JSON.stringify(path)}, sessions = [];
    const open = (plan, variant = 0) => {
      const session = new Session(plan, { threads: 1, cpu: '', profileEvery: 0, variant });
      const length = ${SIDE} * (variant + 1), y = new Int8Array(length);
      session.bind([new Int8Array(length).map((_, i) => i)], [y]);
      session.run();
      sessions.push(session);
      return Buffer.from(y.subarray(0, ${SIDE})).toString('hex');
    };
    if (!isMainThread) {
      parentPort.on('message', (plan) => parentPort.postMessage(open(plan)));
      parentPort.postMessage('ready');
      return;
    }
    const answer = (worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    (async () => {
      const workers = [0, 1, 2, 3].map(() => new Worker(__filename));
      await Promise.all(workers.map(answer));
      const idle = process.memoryUsage.rss();
      const outputs = [open(path)];
      const one = process.memoryUsage.rss();
      outputs.push(open(path), open(path, 1));
      for (const worker of workers) {
        worker.postMessage(path);
        outputs.push(await answer(worker));
      }
      const seven = process.memoryUsage.rss();
      console.log(JSON.stringify({ first: one - idle, further: seven - one, outputs: new Set(outputs).size }));
      process.exit();
    })();`,
  );
  const { first, further, outputs } = JSON.parse(execFileSync(process.execPath, [script], { encoding: 'utf8' }));
  expect(outputs).toBe(1);
  const packed = openSession(path);
  const { packedBytes } = packed.memory;
  packed.close();
  expect(packedBytes).toBeGreaterThanOrEqual(SIDE * SIDE);
  // Packed, and not the mapped weights besides.
  expect(first).toBeGreaterThan(packedBytes / 2);
  expect(first).toBeLessThan(packedBytes + (SIDE * SIDE) / 2);
  expect(further).toBeLessThan((SIDE * SIDE) / 2);
}, 60000);

test('the same bytes by another path or from memory are the same model, whatever became of the file', () => {
  const plan = smallNetwork().write();
  const feeds = { image: ramp(3 * 64) };
  const path = join(folder, 'small.plan');
  writeFileSync(path, plan);
  const first = openSession(path);
  const expected = first.run(feeds);
  const sessions = [openSession(plan), openSession(path)];
  // The weights of `first` are gone: the same bytes are a model of its own, and open as well.
  truncateSync(path, 0);
  sessions.push(openSession(plan));
  for (const session of sessions.slice(2)) expect(session.run(feeds)).toEqual(expected);
  first.close();
  for (const session of sessions) session.close();
});

test('a plan that differs in its weights alone is another model, and a damaged one no model', () => {
  const [plain, other] = [0, 1].map((changed) => {
    const b = new PlanBuilder();
    const [x, y] = [b.input('x', 'int8', [1, 2], GRID), b.output('y', 'int8', [1, 1], GRID)];
    const inputs = [
      x,
      b.constant(Int8Array.of(1, changed), [1, 2]),
      b.constant(Int32Array.of(0)),
      b.constant(Float32Array.of(1)),
    ];
    return b.node({ op: 'fc_s8', outputs: [y], inputs, params: {} }).write();
  });
  const feeds = { x: Int8Array.of(13, 23) };
  const sessions = [plain, other].map((plan) => openSession(plan));
  expect(sessions.map((session) => session.run(feeds).y[0])).toEqual([13, 33]);
  const path = join(folder, 'damaged.plan');
  writeFileSync(
    path,
    plain.map((byte, at) => (at === plain.length - 1 ? byte ^ 1 : byte)),
  );
  expect(() => openSession(path)).toThrow(expect.objectContaining({ code: 'E_PLAN_FORMAT' }));
  for (const session of sessions) session.close();
});
