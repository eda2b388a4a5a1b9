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
  const weights = new Int8Array(SIDE * SIDE);
  for (let i = 0; i < weights.length; i++) weights[i] = ((i * 31) % 7) - 3;
  const builders = [1, 2].map((rows) => {
    const b = new PlanBuilder();
    const [x, y] = [b.input('x', 'int8', [rows, SIDE], GRID), b.output('y', 'int8', [rows, SIDE], GRID)];
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

test('nodes over the same weights share them only where they pack alike', () => {
  const b = new PlanBuilder();
  const rest = [b.constant(Int8Array.of(1, 2, 3, 4), [2, 1, 1, 2]), b.constant(Int32Array.of(0, 0))];
  const constants = [...rest, b.constant(Float32Array.of(1, 1))];
  const point = { kernel: [1, 1], stride: [1, 1], dilation: [1, 1], pad: [0, 0] } as const;
  const grid = { scale: 1, zeroPoint: 0 };
  const conv = (name: string, zeroPoint: number, groups: number) => {
    const x = b.input(`${name}in`, 'int8', [1, 1, 1, 2 * groups], { scale: 1, zeroPoint });
    const y = b.output(name, 'int8', [1, 1, 1, 2], grid);
    b.node({ op: 'conv_s8', outputs: [y], inputs: [x, ...constants], params: { window: point, groups } });
  };
  conv('plain', 0, 1);
  conv('shifted', 2, 1);
  conv('grouped', 0, 2);
  conv('again', 0, 1);
  const session = openSession(b.write());
  const feeds = { plainin: [5, 6], shiftedin: [5, 6], groupedin: [5, 6, 7, 8], againin: [5, 6] };
  const inputs = Object.entries(feeds).map(([name, values]) => [name, Int8Array.from(values)] as const);
  expect(session.run(Object.fromEntries(inputs))).toEqual({
    plain: Int8Array.of(17, 39),
    shifted: Int8Array.of(11, 25),
    grouped: Int8Array.of(17, 53),
    again: Int8Array.of(17, 39),
  });
  const { packedBytes } = session.memory;
  session.close();
  const alone = new PlanBuilder();
  const [x, y] = [alone.input('x', 'int8', [1, 1, 1, 2], grid), alone.output('y', 'int8', [1, 1, 1, 2], grid)];
  const own = [
    alone.constant(Int8Array.of(1, 2, 3, 4), [2, 1, 1, 2]),
    alone.constant(Int32Array.of(0, 0)),
    alone.constant(Float32Array.of(1, 1)),
  ];
  alone.node({ op: 'conv_s8', outputs: [y], inputs: [x, ...own], params: { window: point, groups: 1 } });
  const one = openSession(alone.write());
  // Two plain ones (the second of which is shared), and one of two groups, each in a block of its own at most.
  expect(packedBytes).toBeGreaterThanOrEqual(3 * one.memory.packedBytes);
  expect(packedBytes).toBeLessThanOrEqual(4 * one.memory.packedBytes);
  one.close();
});

test('the garbage collector hears of shared memory once, whichever session closes first', () => {
  const path = join(folder, 'told.plan');
  writeFileSync(path, wideLayer());
  const script = join(folder, 'told.cjs');
  writeFileSync(
    script,
    `const { Session, externalBytes } = require(${JSON.stringify(ADDON)});
    const told = [];
    const look = () => {
      gc();
      told.push(externalBytes());
    };
    const open = (variant) => {
      const session = new Session(${JSON.stringify(path)}, { threads: 1, cpu: '', profileEvery: 0, variant });
      look();
      return session;
    };
    const close = (session) => {
      session.close();
      session.close();
      look();
    };
    look();
    const [first, second] = [open(0), open(0)];
    close(first);
    const third = open(1);
    close(second);
    close(third);
    const again = open(0);
    const { planBytes, packedBytes } = again.describe().memory;
    close(again);
    console.log(JSON.stringify({ told, shared: planBytes + packedBytes }));`,
  );
  const output = execFileSync(process.execPath, ['--expose-gc', script], { encoding: 'utf8' });
  const { told, shared } = JSON.parse(output) as { readonly told: readonly number[]; readonly shared: number };
  expect(shared).toBeGreaterThan(2 * SIDE ** 2);
  // Objects of JavaScript and what is a session's own take a few kilobytes.
  const times = told.map((bytes) => Math.round((100 * (bytes - told[0])) / shared) / 100 + 0);
  expect(times).toEqual([0, 1, 1, 1, 1, 1, 0, 1, 0]);
});
