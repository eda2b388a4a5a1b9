import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../../lib/client/client';
import { isAlive } from '../../lib/jobs/is-alive';
import type { TelemetryFrame } from '../../lib/telemetry/sample';
import { TEST_SAMPLES, toyFolder, toyLogits } from '../jobs/toy';
import { hone, type Outcome } from './hone';

interface LocalAgent {
  readonly pid: number;
  readonly url: string;
  readonly model: string;
}

let folder: string;
let state: string;
const run = (command: string): Promise<Outcome> =>
  hone(command.split(' '), { cwd: folder, env: { HONE_STATE_DIR: state } });
const deploy = async (command: string): Promise<LocalAgent> =>
  (await run(`deploy ${command} --json`)).json<LocalAgent>();
const stop = async (): Promise<unknown> => (await run('deploy --stop --json')).json();
const note = () => join(state, 'agent.json');

beforeAll(async () => {
  folder = toyFolder();
  expect((await hone(['compile', 'toy.onnx'], { cwd: folder })).code).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'hone-state-'));
});
afterEach(async () => {
  await stop();
  rmSync(state, { recursive: true });
});

/** Waits until a process has ended. */
async function untilGone(pid: number): Promise<void> {
  while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
}

test('deploy keeps an agent in the background, watch finds it, --stop ends it', async () => {
  const agent = await deploy('toy.onnx --data calib.npz --board local --name digits');
  expect(agent).toEqual({ pid: expect.any(Number), url: expect.stringMatching(/^http:\/\/127/), model: 'digits' });
  expect(isAlive(agent.pid)).toBe(true);
  const client = connect(agent.url);
  const expected = toyLogits(TEST_SAMPLES[0]);
  const { logits } = await client.infer('digits', { x: Float32Array.from(TEST_SAMPLES[0]) });
  for (const [index, value] of expected.entries()) expect(Math.abs(Number(logits[index]) - value)).toBeLessThan(0.5);
  client.close();

  const watched = await run('watch --frames 2 --json');
  expect([watched.code, watched.stderr]).toEqual([0, '']);
  const frames = watched.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as TelemetryFrame);
  expect(frames.map(({ model, inferences }) => [model, inferences])).toEqual([
    ['digits', 1],
    ['digits', 1],
  ]);
  expect((await run('watch --frames 1')).stdout).toMatch(
    /^\S+Z {2}digits version 1 {2}1 inferences .* since start p50 \S+ [mµ]s {2}p99 .* {2}memory \S+ MB in all, front .*\n$/,
  );

  expect(await stop()).toEqual({ stopped: true });
  expect(isAlive(agent.pid)).toBe(false);
  expect(existsSync(note())).toBe(false);
  expect(await stop()).toEqual({ stopped: false });
  expect((await run('watch')).stderr).toMatch(/E_AGENT_UNREACHABLE/);
});

test('a second deployment takes the place of the first', async () => {
  const first = await deploy('toy.plan --name one');
  const second = await deploy('toy.plan --name two');
  expect(second.pid).not.toBe(first.pid);
  expect(isAlive(first.pid)).toBe(false);
  expect(JSON.parse(readFileSync(note(), 'utf8'))).toEqual(second);
});

test('one that does not start leaves the first alone and says why', async () => {
  const first = await deploy('toy.plan --name one');
  const broken = readFileSync(join(folder, 'toy.plan'));
  broken[broken.length - 1] ^= 1;
  writeFileSync(join(folder, 'broken.plan'), broken);
  // The reader catches most broken plans; one that only the engine refuses needs an agent that cannot start.
  const { code, stderr } = await hone(['deploy', 'toy.plan', '--threads', '3'], {
    cwd: folder,
    env: { HONE_STATE_DIR: state, HONE_CPU: 'abacus' },
  });
  expect(stderr).toMatch(
    /^error the agent did not start: .*abacus.* \[E_AGENT_START\]\nAll that it said is in .*agent\.log\.\n$/,
  );
  expect(code).toBe(1);
  expect((await run('deploy broken.plan')).stderr).toMatch(/E_PLAN_FORMAT/);
  expect((await connect(first.url).about()).pid).toBe(first.pid);
  expect(JSON.parse(readFileSync(note(), 'utf8'))).toEqual(first);
});

test('an agent that was killed is not found, and not in the way', async () => {
  const { pid } = await deploy('toy.plan');
  process.kill(pid, 'SIGKILL');
  await untilGone(pid);
  expect(existsSync(note())).toBe(true);
  expect((await run('watch')).stderr).toMatch(/none runs on this machine/);
  const again = await deploy('toy.plan');
  expect(isAlive(again.pid)).toBe(true);
});

test('an agent that hangs is ended by force', async () => {
  const { pid } = await deploy('toy.plan');
  process.kill(pid, 'SIGSTOP');
  expect(await stop()).toEqual({ stopped: true });
  expect(isAlive(pid)).toBe(false);
}, 30000);

describe('a note that lies', () => {
  test.each([
    ['of a process that is no agent', () => ({ pid: process.pid, url: 'http://127.0.0.1:9', model: 'x' })],
    ['of nobody', () => ({ pid: 2 ** 22 - 1, url: 'http://127.0.0.1:9', model: 'x' })],
    ['of all processes', () => ({ pid: -1, url: 'http://127.0.0.1:9', model: 'x' })],
    ['of the first process', () => ({ pid: 1, url: 'http://127.0.0.1:9', model: 'x' })],
    ['without a process', () => ({ url: 'http://127.0.0.1:9' })],
    ['that is no JSON', () => undefined],
  ])('%s', async (_, content) => {
    writeFileSync(note(), JSON.stringify(content()) ?? '{"pid":');
    expect(await stop()).toEqual({ stopped: false });
    expect(isAlive(process.pid)).toBe(true);
  });

  test('an agent of somebody else at the address is left alone', async () => {
    // It answers like an agent, but says that it is another process than the note does.
    const server = createServer((_, response) => response.end(JSON.stringify({ pid: process.pid, model: 'x' })));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const sleeper = process.ppid;
    writeFileSync(note(), JSON.stringify({ pid: sleeper, url: `http://127.0.0.1:${port}`, model: 'x' }));
    expect(await stop()).toEqual({ stopped: false });
    expect(isAlive(sleeper)).toBe(true);
    server.close();
  });
});

test('a folder that cannot be made is an error', async () => {
  writeFileSync(join(state, 'file'), '');
  const env = { HONE_STATE_DIR: join(state, 'file', 'deeper') };
  const { code, stderr } = await hone(['deploy', 'toy.plan'], { cwd: folder, env });
  expect([code, stderr]).toEqual([1, expect.stringMatching(/E_FILE_WRITE/)]);
  mkdirSync(join(state, 'kept'));
});
