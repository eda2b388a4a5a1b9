import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { statusLines } from '../../lib/cli/status-lines';
import type { AgentStatus } from '../../lib/protocol/agent-status';
import { tinyPlan } from '../agent/served';
import { hone, type Running, start } from './hone';

let cwd: string;
let state: string;
const running: Running[] = [];
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'hone-status-'));
  state = join(cwd, 'state');
  mkdirSync(join(cwd, 'plans'));
  for (const name of ['one', 'two']) writeFileSync(join(cwd, 'plans', `${name}.plan`), tinyPlan());
  writeFileSync(join(cwd, 'plans', 'broken.plan'), 'no plan');
});
afterAll(async () => {
  for (const { child } of running) child.kill('SIGTERM');
  await Promise.all(running.map(({ ended }) => ended));
  rmSync(cwd, { recursive: true });
});

const env = () => ({ HONE_STATE_DIR: state });
const run = (words: string) => hone(words.split(' '), { cwd, env: env() });
/** Starts `hone serve` and waits for its address. */
async function serve(words: string): Promise<string> {
  const started = start(['serve', ...words.split(' '), '--port', '0'], { cwd, env: env() });
  running.push(started);
  return /http:\S+/.exec(await started.until(/^serving[\s\S]*same user$/m))![0];
}

test('status, load and unload find the agent of this user; only several must be told apart', async () => {
  for (const words of ['status', 'load one', 'unload one'])
    expect((await run(words)).stderr).toMatch(/none runs on this machine.*E_AGENT_UNREACHABLE/);
  const url = await serve('plans');
  const sockets = () => readdirSync(state).filter((name) => name.endsWith('.sock'));
  expect(sockets()).toEqual([`agent-${new URL(url).port}.sock`]);
  expect(statSync(join(state, sockets()[0])).mode & 0o777).toBe(0o600);

  const status = (await run('status --json')).json<AgentStatus>();
  const [first, ...workers] = status.processes;
  expect(first).toMatchObject({ pid: running[0].child.pid, roles: ['supervisor', 'front'], uid: process.getuid!() });
  expect(workers.map(({ roles, model, version }) => [roles, model, version])).toEqual([
    [['worker'], 'one', '1'],
    [['worker'], 'two', '1'],
  ]);
  for (const { rssBytes, pssBytes } of status.processes) {
    expect(rssBytes).toBeGreaterThan(1e7);
    expect(pssBytes).toBeGreaterThan(1e6);
    expect(pssBytes).toBeLessThanOrEqual(rssBytes!);
  }
  expect(status.repository).toMatchObject([{ name: 'broken', state: 'UNAVAILABLE' }, { name: 'one' }, { name: 'two' }]);
  expect((await run(`status ${url} --json`)).json<AgentStatus>().models).toMatchObject([
    { name: 'one', state: 'ready', restarts: 0, reason: null, waiting: 0, running: 0 },
    { name: 'two' },
  ]);
  expect((await run('status')).stdout).toMatch(
    /^agent +Hone [\s\S]*^broken +1 +not served .*plan[\s\S]* one process; all run/m,
  );

  expect((await run('unload one')).stdout).toBe('one: no version is served\n');
  const catalogue = JSON.parse(readFileSync(join(cwd, 'plans', 'catalogue.json'), 'utf8')) as { models: object[] };
  expect(catalogue.models).toContainEqual({ name: 'one', plan: 'one.plan', loaded: false });
  expect((await run('status --json')).json<AgentStatus>().models.map(({ name }) => name)).toEqual(['two']);
  expect((await run(`load one --version 1 --url ${url}`)).stdout).toBe('serving one version 1\n');
  expect((await run('load one --version 3')).stderr).toMatch(/no model 'one version 3' here.*E_MODEL_UNKNOWN/);
  expect((await run('load broken')).stderr).toMatch(/E_PLAN_FORMAT/);
  expect((await run('load one --json')).json()).toEqual({
    model: 'one',
    versions: [{ name: 'one', version: '1', state: 'READY', reason: '' }],
  });

  const other = await serve('plans/two.plan');
  for (const words of ['status', 'load two'])
    expect((await run(words)).stderr).toMatch(/several agents run here: name one of .*E_USAGE/);
  expect((await run(`unload two --url ${other}`)).code).toBe(0);
  expect((await run('load two --url http://127.0.0.1:9')).stderr).toMatch(
    /no agent of this user .*E_AGENT_UNREACHABLE/,
  );
  expect((await run('load two --url 8700')).stderr).toMatch(/address of an agent.*E_OPTION_VALUE/);
  running[1].child.kill('SIGTERM');
  await running[1].ended;
  expect(sockets()).toHaveLength(1);
}, 60000);

test('serve goes on where it can have no socket, and says so', async () => {
  writeFileSync(join(cwd, 'file'), '');
  const started = start(['serve', 'plans/one.plan', '--port', '0'], {
    cwd,
    env: { HONE_STATE_DIR: join(cwd, 'file') },
  });
  running.push(started);
  await started.until(/^serving one at http/m);
  await started.until(/will not reach this agent: .*file/);
});

test('status tells people of workers that ended, of memory that cannot be read, and of what is not known', () => {
  const worker = { state: 'waiting', pid: null, restarts: 2, reason: 'signal SIGKILL', waiting: 3, running: 0 };
  const memory = { weightBytes: 1, arenaBytes: 1, scratchBytes: 0 };
  const squeezed = (line: string) => line.trim().replace(/ {2,}/g, '  ');
  const status: AgentStatus = {
    ...{
      pid: 1,
      url: 'http://127.0.0.1:1',
      version: '1.2.3',
      uptimeS: 200_000,
      stopping: true,
      connections: 2,
      uploads: 0,
    },
    cores: { total: 4, free: 3 },
    models: [{ name: 'm', version: '1', ...worker, retryMs: 1500, memory }],
    repository: null,
    repositoryReason: 'it is broken',
    processes: [
      { pid: 1, roles: ['front'], uid: 5, rssBytes: 2e7, pssBytes: 1e7, limitBytes: null },
      {
        pid: 2,
        roles: ['worker'],
        model: 'm',
        version: '1',
        uid: 6,
        rssBytes: 3e7,
        pssBytes: null,
        limitBytes: 1e9,
        reason: 'of another',
      },
    ],
  };
  expect(statusLines(status).map(squeezed)).toEqual([
    'agent  Hone 1.2.3, up 2 days, stopping',
    'cores  4, 1 of them held by inferences',
    'connections  2',
    '',
    'model  version  state  worker  restarts  waiting  running  about it',
    'm  1  waiting  2  3  0  the last worker ended: signal SIGKILL; the next worker starts in 2 s',
    'what else may be loaded is not known: it is broken',
    '',
    'process  role  user  resident  share  limit  about it',
    '1  front  5  20.0 MB  10.0 MB  none',
    '2  worker of m 1  6  30.0 MB  unknown  1.00 GB  of another',
    'all  unknown  share: what several processes hold together is divided',
    '',
    'its roles run under 2 users',
  ]);
});
