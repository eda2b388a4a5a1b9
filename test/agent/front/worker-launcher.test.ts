import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ControlGroup } from '../../../lib/agent/control-group';
import { childLauncher, type StartedWorker } from '../../../lib/agent/front/worker-launcher';
import { WorkerLink } from '../../../lib/agent/front/worker-link';
import { tinyPlan } from '../served';

let folder: string;
let worker: StartedWorker;
const kills = (count: number) => writeFileSync(join(folder, 'memory.events'), `oom_kill ${count}\n`);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hone-launcher-'));
});
afterEach(async () => {
  worker.kill();
  await worker.ended;
  rmSync(folder, { recursive: true });
});

async function start(): Promise<WorkerLink> {
  const launcher = childLauncher(tinyPlan(), new ControlGroup(folder));
  worker = await launcher.start();
  launcher.close();
  return WorkerLink.open(worker, { threads: 1, profileEvery: 0 });
}

test.each([
  ['which the kernel counts is one for memory', 1, 'SIGKILL', /^ended by the system for memory$/],
  ['which the kernel does not count is none', 0, 'SIGKILL', /^signal SIGKILL/],
  ['by another signal is none, whatever the kernel counts', 1, 'SIGSEGV', /^signal SIGSEGV/],
] as const)('an end %s', async (_, count, signal, reason) => {
  kills(0);
  await start();
  kills(count);
  process.kill(worker.pid()!, signal);
  expect(await worker.ended).toMatch(reason);
});

test('where memory is short a worker goes before its front', async () => {
  await start();
  const score = (pid: number | string) => Number(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8'));
  expect(score(worker.pid()!)).toBe(500);
  expect(score('self')).toBeLessThan(500);
});

// Skipped by name where there is no prlimit.
const limits = spawnSync('prlimit', ['--version']).status === 0;
(limits ? test : test.skip)('how a worker ended that may take no more memory is told', async () => {
  const link = await start();
  execFileSync('prlimit', ['--pid', String(worker.pid()), '--as=1']);
  const inputs = link.about.inputs.map(({ bytes }) => [new Uint8Array(bytes)]);
  const runs = async () => {
    while (existsSync(`/proc/${worker.pid()}`)) await link.run(inputs, 1).answer;
  };
  await expect(runs()).rejects.toMatchObject({ code: 'E_WORKER_ENDED' });
  // Where no one looks at what an allocation gave, a crash comes before any word.
  expect(await worker.ended).toMatch(/memory|allocat|^signal SIG(SEGV|ABRT|TRAP|ILL|BUS)/i);
});
