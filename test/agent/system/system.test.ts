import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectSupervisor, type SupervisorClient } from '../../../lib/client/supervisor-client';
import { packageRoot } from '../../../lib/engine/package-root';
import { findSupervisor } from '../../../lib/jobs/control-socket';
import { binaryRequest, INFER, jsonRequest, send, tinyPlan } from '../served';
import { ended, PlayedSystem } from './play-systemd';

const PLAN = tinyPlan();
const SUPERVISOR = join(packageRoot(), 'dist/lib/agent/supervisor/supervisor-main.js');
let system: PlayedSystem;
afterEach(() => system.close());

async function start(models: readonly object[], plans: Readonly<Record<string, Uint8Array>> = { 'tiny.plan': PLAN }) {
  system = new PlayedSystem();
  system.catalogue(plans, models);
  await system.listen();
  await system.startFront();
}

async function ask<T>(question: (client: SupervisorClient) => Promise<T>): Promise<T> {
  const client = await connectSupervisor(system.paths.supervisor);
  try {
    return await question(client);
  } finally {
    client.close();
  }
}

const tiny = (changes: object = {}) => ({ name: 'tiny', plan: 'tiny.plan', loaded: false, ...changes });
const infer = (version = '1') =>
  send(system.url, INFER.replace('/infer', `/versions/${version}/infer`), { body: jsonRequest() });
const wanted = () => JSON.parse(readFileSync(system.paths.wanted, 'utf8')) as { slots: object[] };

async function until(fits: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await fits())) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('a model is loaded, asked, unloaded and loaded again, and its supervisor is not resident', async () => {
  await start([tiny()]);
  expect(await ask((client) => client.list())).toMatchObject([{ state: 'UNAVAILABLE', reason: 'unloaded' }]);
  await ask((client) => client.load('tiny'));
  expect((await infer()).status).toBe(200);
  expect(await ask((client) => client.list())).toEqual([{ name: 'tiny', version: '1', state: 'READY', reason: '' }]);
  const status = await ask((client) => client.status());
  expect(status).toMatchObject({
    pid: system.front!.pid,
    models: [{ name: 'tiny', state: 'ready', pid: system.worker(0).pid }],
    repository: [{ name: 'tiny', state: 'READY' }],
  });
  expect(status.processes).toMatchObject([{ roles: ['front'] }, { roles: ['worker'], limitBytes: 2 ** 30 }]);

  await ask((client) => client.unload('tiny'));
  expect((await infer()).status).toBe(404);
  await ended(system.worker(0));
  await ended(system.supervisors[0]);
  expect(system.supervisors).toHaveLength(1);
  expect(system.supervisors[0].exitCode).toBe(0);

  await ask((client) => client.load('tiny'));
  expect((await infer()).status).toBe(200);
  expect(system.supervisors).toHaveLength(2);
  expect(system.said).toBe('');
});

test('`hone load` finds it where no agent of this user runs', async () => {
  await start([tiny()]);
  const before = { ...process.env };
  Object.assign(process.env, { HONE_STATE_DIR: join(system.folder, 'none'), HONE_RUNTIME: system.runtime });
  try {
    const client = await findSupervisor(undefined, 'load');
    await client.load('tiny').finally(() => client.close());
    expect((await infer()).status).toBe(200);
  } finally {
    for (const name of ['HONE_STATE_DIR', 'HONE_RUNTIME']) delete process.env[name];
    Object.assign(process.env, before);
  }
});

test('a worker that is killed is followed by another, and a front by one that serves the same', async () => {
  await start([tiny({ loaded: true })]);
  expect(await system.recover()).toMatch(/^tiny version 1: (loading|ready)\n$/);
  await until(async () => (await infer()).status === 200);
  const worker = system.worker(0);
  worker.kill('SIGKILL');
  await ended(worker);
  await until(async () => (await infer()).status === 200);
  expect(system.workers[0]).toHaveLength(2);

  system.front!.kill('SIGKILL');
  await ended(system.worker(0));
  await system.startFront();
  await until(async () => (await infer()).status === 200);
  // One that is about to end would be met halfway: here nobody keeps a connection for the next, as systemd does.
  await ended(system.supervisors.at(-1)!);
  expect(await system.recover()).toBe('tiny version 1: ready\n');
});

test('a worker that the kernel ends for memory is told apart from one that ends by itself', async () => {
  await start([tiny()]);
  await ask((client) => client.load('tiny'));
  const end = async (reason: RegExp) => {
    const worker = system.worker(0);
    worker.kill('SIGKILL');
    await ended(worker);
    await until(async () => (await infer()).status === 200);
    expect((await ask((client) => client.status())).models[0].reason).toMatch(reason);
  };
  await end(/^it closed its socket; the journal of its unit/);
  system.countKills(1);
  await end(/^ended by the system for memory$/);
  await end(/^it closed its socket; the journal of its unit/);
});

test('a front that is told to stop answers what was sent, and ends well', async () => {
  await start([tiny()]);
  await ask((client) => client.load('tiny'));
  const { headers, body } = binaryRequest();
  const answers = Array.from({ length: 8 }, () => send(system.url, INFER, { headers, body }));
  await answers[0];
  system.front!.kill('SIGTERM');
  for (const answer of answers) expect([200, 503]).toContain((await answer).status);
  await ended(system.front!);
  expect(system.front!.exitCode).toBe(0);
  await expect(ask((client) => client.load('tiny'))).resolves.toBeUndefined();
  await ended(system.worker(0));
});

test('a plan that does not open is told of, and does not keep the others', async () => {
  await start(
    [
      tiny({ name: 'broken', plan: 'broken.plan', loaded: true }),
      tiny({ loaded: true }),
      tiny({ version: '2', plan: 'broken.plan' }),
    ],
    {
      'tiny.plan': PLAN,
      'broken.plan': PLAN.subarray(0, 100),
    },
  );
  await system.recover();
  await until(async () => (await infer()).status === 200);
  let found = 'loading';
  await until(async () => {
    [{ reason: found }] = await ask((client) => client.list());
    return found !== 'loading';
  });
  expect(found).toMatch(/plan/);
  await expect(ask((client) => client.load('tiny', '2'))).rejects.toMatchObject({ code: 'E_PLAN_FORMAT' });
  expect(wanted().slots).toHaveLength(2);
  expect(await ask((client) => client.list())).toMatchObject([
    { name: 'broken', state: 'UNAVAILABLE', reason: found },
    { name: 'tiny', version: '1', state: 'READY' },
    { name: 'tiny', version: '2', state: 'UNAVAILABLE', reason: expect.stringMatching(/plan/) },
  ]);
});

test('without a front nothing is loaded, which is said at once', async () => {
  await start([tiny()]);
  system.front!.kill('SIGKILL');
  await ended(system.front!);
  await expect(ask((client) => client.load('tiny'))).rejects.toMatchObject({ code: 'E_AGENT_UNREACHABLE' });
  expect(readdirSync(system.slots)).toEqual([]);
});

test('clients with the token load through the front, others do not', async () => {
  system = new PlayedSystem();
  const [path, token] = [join(system.folder, 'token'), 'a token without '.replaceAll(' ', '-')];
  writeFileSync(path, `${token}\n`);
  system.catalogue({ 'tiny.plan': PLAN }, [tiny()]);
  await system.listen();
  await system.startFront({ HONE_TOKEN_FILE: path });
  const load = (headers: Record<string, string>) =>
    send(system.url, '/v2/repository/models/tiny/load', { body: '{}', headers });
  expect((await load({})).json()).toMatchObject({ code: 'E_REPOSITORY_TOKEN' });
  expect((await load({ authorization: `Bearer ${token}` })).status).toBe(200);
  expect((await infer()).status).toBe(200);
});

test.each([
  [{ HONE_PORT: '70000' }, /HONE_PORT.*0 to 65535/],
  [{ HONE_CORES: '0' }, /HONE_CORES.*1 to 1024/],
  [{ HONE_HOST: '0.0.0.0' }, /host.*loopback/],
  [{ HONE_ORIGINS: 'http://localhost:3000 *' }, /origins.*\*/],
  [{ HONE_TOKEN_FILE: '/nowhere' }, /\/nowhere/],
])('a front with %j says what is wrong and ends', async (env, text) => {
  system = new PlayedSystem();
  await expect(system.startFront(env)).rejects.toThrow(text);
  expect(system.front!.exitCode).toBe(1);
});

test.each([
  ['alone', {}],
  ['below a process to which one was', { LISTEN_FDS: '1', LISTEN_PID: '1' }],
])('a supervisor to which no socket is handed says so: %s', (_, env) => {
  system = new PlayedSystem();
  const { status, stderr } = spawnSync(process.execPath, [SUPERVISOR], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([1, expect.stringMatching(/socket of systemd/)]);
});

test('a supervisor loads neither native code nor a parser of HTTP', () => {
  system = new PlayedSystem();
  const code = `
    process.argv.push('--recover');
    require(${JSON.stringify(SUPERVISOR)});
    setTimeout(() => {
      const files = Object.keys(require.cache);
      require(${JSON.stringify(join(packageRoot(), 'dist/lib/agent/supervisor/catalogue-schema.js'))});
      console.log(JSON.stringify({ files: [...files, ...Object.keys(require.cache)], inside: process.moduleLoadList }));
    }, 200);`;
  const { stdout } = spawnSync(process.execPath, ['-e', code], {
    env: { ...process.env, HONE_RUNTIME: system.runtime },
    encoding: 'utf8',
  });
  const { files, inside } = JSON.parse(stdout) as { files: string[]; inside: string[] };
  expect(files.some((path) => path.endsWith('slot-host.js'))).toBe(true);
  expect(inside.some((name) => name.endsWith(' net'))).toBe(true);
  expect(files.filter((path) => /\.node$|engine\/(addon|session)|front\/front\b/.test(path))).toEqual([]);
  expect(inside.filter((name) => /http|tls|child_process|worker_threads|wasi/.test(name))).toEqual([]);
});

test.each([
  ['is gone', undefined],
  ['is cut off', '{"serial": 3, "sl'],
  [
    'names a slot twice',
    { serial: 2, slots: [0, 1].map((serial) => ({ name: `m${serial}`, version: '1', slot: 0, serial })) },
  ],
  ['serves what the catalogue does not', { serial: 9, slots: [{ name: 'old', version: '1', slot: 3, serial: 9 }] }],
])('what is served is put right where the file of the slots %s', async (_, content) => {
  system = new PlayedSystem();
  system.catalogue({ 'tiny.plan': PLAN }, [tiny({ loaded: true }), tiny({ version: '2' })]);
  if (content !== undefined)
    writeFileSync(system.paths.wanted, typeof content === 'string' ? content : JSON.stringify(content));
  await system.listen();
  expect(await system.recover()).toBe('tiny version 1: loading\ntiny version 2: unloaded\n');
  expect(wanted().slots).toMatchObject([{ name: 'tiny', version: '1', slot: 0 }]);
  expect(readFileSync(join(system.slots, '0', 'model.plan'))).toEqual(Buffer.from(PLAN));
});
