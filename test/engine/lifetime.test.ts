import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { loadFrom } from '../../lib/engine/addon';
import { describeCpu, openSession } from '../../lib/engine/session';
import { ramp, smallNetwork } from './plans';

const ROOT = join(__dirname, '../..');
const TARGET = `${process.platform}-${process.arch}`;
const ADDON = join(ROOT, 'build', TARGET, 'Release', 'hone.node');
const PLAN = smallNetwork().write();
const IMAGE = ramp(3 * 64);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hone-engine-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs on the raw addon: workers and child processes know no TypeScript. */
const LOOP = `
  const { Session } = require(addon);
  const options = { threads, cpu: '', profileEvery: 0, variant: 0 };
  const scores = new Float32Array(10);
  for (let i = 0; i < count; i++) {
    const session = new Session(plan, options);
    session.bind([image], [scores]);
    for (let run = 0; run < runs; run++) session.run();
    if (i % 2) session.close();
  }`;

test('a plan opened by path is mapped and gives the same', () => {
  const path = join(folder, 'small.plan');
  writeFileSync(path, PLAN);
  const [byPath, byBytes] = [openSession(path), openSession(PLAN)];
  expect(byPath.run({ image: IMAGE })).toEqual(byBytes.run({ image: IMAGE }));
  expect(byPath.memory).toEqual(byBytes.memory);
  byPath.close();
  byBytes.close();
  writeFileSync(path, '');
  expect(() => openSession(path)).toThrow(expect.objectContaining({ code: 'E_PLAN_FORMAT' }));
});

test('four worker threads load the addon at once and agree; the main thread goes on', async () => {
  const session = openSession(PLAN);
  const expected = session.run({ image: IMAGE }).scores;
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    const { addon, plan, image, threads, count, runs } = workerData;
    ${LOOP}
    parentPort.postMessage(scores);`;
  const workerData = { addon: ADDON, plan: PLAN, image: IMAGE, threads: 2, count: 20, runs: 20 };
  const answers = [0, 1, 2, 3].map(
    () =>
      new Promise<Float32Array>((resolve, reject) => {
        const worker = new Worker(code, { eval: true, workerData });
        worker.once('message', resolve);
        worker.once('error', reject);
      }),
  );
  for (const scores of await Promise.all(answers)) expect(scores).toEqual(expected);
  expect(session.run({ image: IMAGE }).scores).toEqual(expected);
  session.close();
});

/** What a script of ours prints, run with the raw addon in a process of its own; `body` may await. */
function runAlone(body: string): string {
  const path = join(folder, 'alone.cjs');
  writeFileSync(
    path,
    `const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');
    const addon = ${JSON.stringify(ADDON)};
    const plan = Uint8Array.from(${JSON.stringify([...PLAN])}), image = Float32Array.from(${JSON.stringify([...IMAGE])});
    (async () => {${body}})();`,
  );
  return execFileSync(process.execPath, ['--expose-gc', path], { encoding: 'utf8' });
}

test('sessions opened and closed, or left to the collector, leave no memory behind', () => {
  const grown = runAlone(`
    // Finalizers of collected sessions wait for a turn of the event loop.
    const threads = 2, runs = 1, count = 50;
    const use = async (rounds) => {
      for (let round = 0; round < rounds; round++) {
        { ${LOOP} }
        gc();
        await new Promise(setImmediate);
      }
    };
    await use(6);
    const before = process.memoryUsage().rss;
    await use(20);
    console.log(process.memoryUsage().rss - before);`);
  expect(Number(grown)).toBeLessThan(6 << 20);
});

test('1,000 sessions in four worker threads at a time, again and again: no leak, no crash', () => {
  // The main thread never loads the addon, so that it comes and goes with the workers.
  const answer = runAlone(`
    if (!isMainThread) {
      const { threads, count, runs } = workerData;
      ${LOOP}
      return parentPort.postMessage(count);
    }
    const round = async () => {
      const workerData = { threads: 3, count: 50, runs: 3 };
      const done = [0, 1, 2, 3].map(() => new Promise((resolve, reject) => {
        let opened = 0;
        const worker = new Worker(__filename, { workerData });
        worker.once('message', (count) => (opened = count)).once('error', reject).once('exit', () => resolve(opened));
      }));
      return (await Promise.all(done)).reduce((sum, count) => sum + count, 0);
    };
    await round(), await round();
    gc();
    const before = process.memoryUsage().rss;
    let sessions = 0;
    for (let i = 0; i < 5; i++) sessions += await round();
    gc();
    console.log(JSON.stringify({ sessions, grown: process.memoryUsage().rss - before }));`);
  const { sessions, grown } = JSON.parse(answer);
  expect(sessions).toBe(1000);
  expect(grown).toBeLessThan(16 << 20); // heaps of workers come and go; the sessions would leave more
}, 60000);

test('workers terminated while they open, run and fail do not take the process along', () => {
  const answer = runAlone(`
    if (!isMainThread) {
      const { Session } = require(addon);
      const options = { threads: 2, cpu: '', profileEvery: 0, variant: 0 };
      parentPort.postMessage('ready');
      for (;;) {
        const session = new Session(plan, options);
        session.bind([image], [new Float32Array(10)]);
        for (let run = 0; run < 20; run++) session.run();
        try { new Session(plan.subarray(1), options); } catch {}
        try { session.bind([], []); } catch {}
      }
    }
    let ended = 0;
    for (let i = 0; i < 40; i++) {
      const worker = new Worker(__filename);
      await new Promise((resolve) => worker.once('message', resolve));
      await new Promise((resolve) => setTimeout(resolve, i % 5));
      ended += (await worker.terminate()) === 1 ? 1 : 0;
    }
    console.log(ended);`);
  expect(Number(answer)).toBe(40);
}, 60000);

test('a run over bound arrays makes no array buffer and no garbage to speak of', () => {
  const session = openSession(PLAN);
  const run = session.bind({ image: IMAGE }, { scores: new Float32Array(10) });
  for (let i = 0; i < 100; i++) run();
  const before = process.memoryUsage();
  for (let i = 0; i < 2000; i++) run();
  const after = process.memoryUsage();
  expect(after.arrayBuffers).toBeLessThanOrEqual(before.arrayBuffers);
  expect(after.external - before.external).toBeLessThan(2000); // less than a byte per run
  session.close();
});

test('methods refuse foreign receivers', () => {
  const { Session } = loadFrom(ROOT, process.platform, process.arch);
  const run = Session.prototype.run as () => void;
  expect(() => run.call({} as never)).toThrow();
  expect(() => run.call(new Map() as never)).toThrow();
});

test('describeCpu names what a mask leaves', () => {
  expect(describeCpu('ref')).toBe('ref');
  expect(describeCpu().length).toBeGreaterThan(0);
});

describe('the loader', () => {
  const codeFor = (root: string, platform = process.platform as string, arch = process.arch as string) => {
    try {
      loadFrom(root, platform, arch);
    } catch (error) {
      return { code: (error as { code: string }).code, message: (error as Error).message };
    }
    return { code: 'none', message: '' };
  };

  test('says where it looked', () => {
    const { code, message } = codeFor(folder, 'plan9', 'mips');
    expect(code).toBe('E_ADDON_MISSING');
    expect(message).toContain('plan9-mips');
  });

  test('says why a file does not load', () => {
    const place = join(folder, 'build', TARGET, 'Release');
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'hone.node'), 'not a library');
    expect(codeFor(folder)).toEqual({ code: 'E_ADDON_MISSING', message: expect.stringContaining('does not load') });
    rmSync(join(folder, 'build'), { recursive: true });
  });

  test('takes prebuilds when there is no build', () => {
    const place = join(folder, 'prebuilds', TARGET);
    mkdirSync(place, { recursive: true });
    copyFileSync(ADDON, join(place, 'hone.node'));
    expect(codeFor(folder).code).toBe('none');
  });

  const foreign = join(ROOT, 'build/linux-arm64/Release/hone.node');
  const withForeign = existsSync(foreign) && process.arch !== 'arm64' ? test : test.skip;
  withForeign('refuses the addon of another machine', () => {
    const place = join(folder, 'other/build', TARGET, 'Release');
    mkdirSync(place, { recursive: true });
    copyFileSync(foreign, join(place, 'hone.node'));
    expect(codeFor(join(folder, 'other')).code).toBe('E_ADDON_MISSING');
  });
});
