import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { npzOf, toyFolder, toySamples } from '../jobs/toy';
import { distPath, hone, type Running, start } from './hone';

const ADDRESS = /http:\/\/127\.0\.0\.1:\d+/;

let folder: string;
const begin = (command: string): Running => start(command.split(' '), { cwd: folder, env: { HONE_STATE_DIR: folder } });

beforeAll(async () => {
  folder = toyFolder();
  expect((await hone(['compile', 'toy.onnx'], { cwd: folder })).code).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true }));

function makePipe(): void {
  execFileSync('bash', ['-c', 'mkfifo "$0"', join(folder, 'pipe')]);
}

/** Waits until a program has loaded the engine: it is at work then. */
async function untilAtWork(pid: number): Promise<void> {
  while (!readFileSync(`/proc/${pid}/maps`, 'utf8').includes('hone.node'))
    await new Promise((resolve) => setTimeout(resolve, 10));
}

describe('Ctrl-C', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('bench, %s: %d', async (signal, code) => {
    const { child, ended } = begin('bench toy.plan --pairs 10000000');
    await untilAtWork(child.pid!);
    await new Promise((resolve) => setTimeout(resolve, 500));
    child.kill(signal);
    expect(await ended).toMatchObject({
      code,
      stdout: '',
      stderr: expect.stringMatching(/^error interrupted: bench /),
    });
  });

  // The samples come through a pipe: the program is at work when it opens it, and gets them after the signal.
  test.each([
    'eval toy.plan --data pipe',
    'eval toy.onnx --data pipe',
    'compress toy.onnx --data pipe --out q.onnx',
    'compile toy.onnx --calibration pipe --out q.plan',
    'run toy.onnx --calibration pipe',
    'deploy toy.onnx --data pipe',
  ])('%s: 130, a message, no file', async (command) => {
    const before = readdirSync(folder);
    makePipe();
    const { child, ended } = begin(command);
    const pipe = await open(join(folder, 'pipe'), 'w');
    child.kill('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 100));
    await pipe.writeFile(npzOf(toySamples(80, 1)));
    await pipe.close();
    const found = await ended;
    expect(found.stderr).toMatch(/^error interrupted: .+ \[E_INTERRUPTED\]\n/);
    expect(found.stdout).toBe('');
    expect(found.code).toBe(130);
    rmSync(join(folder, 'pipe'));
    expect(readdirSync(folder)).toEqual(before);
  });

  test('a second one ends at once what does not listen', async () => {
    makePipe();
    const { child, ended } = begin('eval toy.plan --data pipe');
    const pipe = await open(join(folder, 'pipe'), 'w');
    child.kill('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 700));
    child.kill('SIGINT');
    // A thread of its own waits for the pipe; the program cannot end before it.
    await new Promise((resolve) => setTimeout(resolve, 300));
    await pipe.close();
    expect(await ended).toMatchObject({ code: 130, stdout: '', stderr: '' });
    rmSync(join(folder, 'pipe'));
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 0],
  ] as const)('serve ends after %s with %d', async (signal, code) => {
    const { child, ended, until } = begin('serve toy.plan --port 0');
    await until(/v1\/telemetry/);
    child.kill(signal);
    expect(await ended).toMatchObject({ code, signal: null, stderr: 'stopped serving toy\n' });
  });

  test('watch ends with 130, and by itself when the agent stops', async () => {
    const agent = begin('serve toy.plan --port 0');
    const url = await agent.until(ADDRESS);
    const [first, second] = [begin(`watch ${url}`), begin(`watch ${url}`)];
    await Promise.all([first.until(/inferences/), second.until(/inferences/)]);
    first.child.kill('SIGINT');
    expect(await first.ended).toMatchObject({ code: 130, stderr: `stopped watching ${url}\n` });
    agent.child.kill('SIGTERM');
    expect(await second.ended).toMatchObject({ code: 0, stderr: 'the agent ended the stream\n' });
    await agent.ended;
  });

  test('watch says when the agent is gone without a word', async () => {
    const agent = begin('serve toy.plan --port 0');
    const url = await agent.until(ADDRESS);
    const watching = begin(`watch ${url}`);
    await watching.until(/inferences/);
    agent.child.kill('SIGKILL');
    expect(await watching.ended).toMatchObject({ code: 1, stderr: expect.stringMatching(/E_AGENT_UNREACHABLE/) });
  });
});

describe('a reader that goes away', () => {
  /** Exit code and standard error of the program when its reader takes one line and goes. */
  async function readOneLine(args: readonly string[]): Promise<[number | null, string]> {
    const child = spawn(process.execPath, [distPath('lib/cli/main.js'), ...args], { cwd: folder });
    let stderr = '';
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    await once(child.stdout, 'data');
    child.stdout.destroy();
    const [code] = (await once(child, 'exit')) as [number | null];
    return [code, stderr];
  }

  test('hone inspect | head', async () => {
    const script = `"$0" "$1" inspect toy.plan --nodes | head -n 1; exit "\${PIPESTATUS[0]}"`;
    const child = spawn('bash', ['-c', script, process.execPath, distPath('lib/cli/main.js')], { cwd: folder });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text) => {
        output += text;
      });
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(output).toMatch(/^file .*\n$/);
  });

  test('hone watch ends when nobody reads it', async () => {
    const agent = begin('serve toy.plan --port 0');
    const url = await agent.until(ADDRESS);
    expect(await readOneLine(['watch', url])).toEqual([0, expect.not.stringMatching(/error/)]);
    agent.child.kill('SIGTERM');
    await agent.ended;
  });
});

test('a full disk behind standard output is an error', async () => {
  const full = openSync('/dev/full', 'w');
  const child = spawn(process.execPath, [distPath('lib/cli/main.js'), 'inspect', 'toy.plan'], {
    cwd: folder,
    stdio: ['ignore', full, 'pipe'],
  });
  let stderr = '';
  child.stderr!.on('data', (text) => {
    stderr += text;
  });
  expect(await once(child, 'close')).toEqual([1, null]);
  expect(stderr).toMatch(/standard output: ENOSPC.*E_FILE_WRITE/);
  closeSync(full);
});
