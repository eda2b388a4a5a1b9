import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../../lib/client/client';
import { addonPlaces } from '../../lib/engine/addon';
import { version } from '../../lib/engine/version';
import { ROOT } from '../tidy/sources';
import { A, B, expectedOutputs, tinyPlan } from './served';

let program: string;
let folder: string;
let child: ChildProcess | undefined;
beforeEach(() => {
  const bundle = join(ROOT, 'dist/agent/hone-agent.js');
  if (!existsSync(bundle)) throw new Error(`${bundle} is missing: node deploy/build/agent.mjs makes it`);
  program = mkdtempSync(join(tmpdir(), 'hone-program-'));
  folder = join(program, 'agent');
  copyFileSync(bundle, join(program, 'hone-agent.js'));
});
afterEach(async () => {
  if (child !== undefined && child.exitCode === null) {
    const ended = new Promise((resolve) => child!.once('close', resolve));
    child.kill('SIGTERM');
    await ended;
  }
  child = undefined;
  rmSync(program, { recursive: true });
});

const addAddon = () => {
  const addon = addonPlaces(ROOT, `${process.platform}-${process.arch}`).find((path) => existsSync(path))!;
  copyFileSync(addon, join(program, 'hone.node'));
};

/** Starts the agent of `folder` with nothing of this clone in reach; resolves with its lines once one fits. */
function serve(fits: RegExp): Promise<string> {
  child = spawn(process.execPath, ['hone-agent.js', 'serve', '--folder', folder], {
    cwd: program,
    env: { PATH: '/nowhere', HOME: program },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  return new Promise((resolve, reject) => {
    for (const stream of [child!.stdout!, child!.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (fits.test(said)) resolve(said);
      });
    child!.once('close', (code) => reject(new Error(`it ended with ${code}: ${said}`)));
  });
}

test('two files are an agent: it opens a plan and infers, with small JSON and with large', async () => {
  addAddon();
  mkdirSync(folder);
  writeFileSync(join(folder, 'tiny.plan'), tinyPlan());
  writeFileSync(join(folder, 'catalogue.json'), '{ "models": [{ "name": "tiny", "plan": "tiny.plan" }] }');
  const said = await serve(/tiny version 1: /);
  expect(said).toMatch(/tiny version 1: ready/);
  const url = /http:\S+\d/.exec(said)![0];
  const client = connect(url);
  try {
    expect(await client.infer('tiny', { a: A, b: B })).toEqual(expectedOutputs());
    // More JSON than the front reads on its own thread.
    const tensor = (name: string, data: Float32Array) => ({ name, datatype: 'FP32', shape: [1, 4], data: [...data] });
    const body = JSON.stringify({ inputs: [tensor('a', A), tensor('b', B)] }).padEnd(65_700);
    const response = await fetch(`${url}/v2/models/tiny/infer`, { method: 'POST', body });
    expect(await response.json()).toMatchObject({ outputs: [{ data: [...expectedOutputs().sum] }, {}] });
    expect(await client.status()).toMatchObject({ version: version(), models: [{ name: 'tiny', state: 'ready' }] });
  } finally {
    client.close();
  }
});

test('an agent without a model serves none; a second one of the same folder is refused; SIGTERM ends it with 0', async () => {
  const said = await serve(/serves/);
  expect(said).toMatch(new RegExp(`hone-agent ${version().replaceAll('.', '\\.')} serves ${folder} at http://127`));
  expect(readdirSync(folder).sort()).toEqual(['blobs', 'catalogue.json', 'logs', 'run']);
  const again = spawn(process.execPath, [join(program, 'hone-agent.js'), 'serve', '--folder', folder]);
  let complaint = '';
  again.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  expect(await new Promise((resolve) => again.once('close', resolve))).toBe(1);
  expect(complaint).toMatch(/^E_AGENT_PORT: cannot listen on .*control\.sock/);
  const ended = new Promise((resolve) => child!.once('close', resolve));
  // A link that ends takes nothing with it.
  child!.kill('SIGHUP');
  child!.kill('SIGTERM');
  expect(await ended).toBe(0);
});

test('without the addon beside it the reason is told', async () => {
  mkdirSync(folder);
  writeFileSync(join(folder, 'tiny.plan'), tinyPlan());
  writeFileSync(join(folder, 'catalogue.json'), '{ "models": [{ "name": "tiny", "plan": "tiny.plan" }] }');
  const said = await serve(/tiny version 1: .*\n/);
  expect(said).toContain(`no addon for ${process.platform}-${process.arch} in ${join(program, 'hone.node')}`);
});

describe('the command line', () => {
  const run = (...args: string[]): string =>
    execFileSync(process.execPath, [join(program, 'hone-agent.js'), ...args], {
      encoding: 'utf8',
      stdio: 'pipe',
      timeout: 20_000,
    });
  test('--version is that of the package', () => expect(run('--version')).toBe(`${version()}\n`));
  test.each<[args: string[], code: number, text: RegExp]>([
    [[], 64, /^E_USAGE: --folder is missing/],
    [['serve'], 64, /--folder is missing/],
    [['--folder', 'f'], 64, /expected one of serve, --stdio/],
    [['serve', 'twice', '--folder', 'f'], 64, /'twice' is one word too many/],
    [['serve', '--folder', 'f', '--odd'], 64, /--odd/],
    [['serve', '--folder', 'f', '--port', '70000'], 1, /^E_OPTION_VALUE: option --port: .*0 to 65535, found '70000'/],
    [['serve', '--folder', 'f', '--threads', 'x'], 1, /option --threads/],
    [['serve', '--folder', '/proc/none'], 1, /^E_FILE_WRITE: cannot write \/proc\/none/],
    [['toString'], 64, /--folder is missing/],
  ])('%j is refused', (args, code, text) => {
    let found: { status?: number; stderr?: string } = {};
    try {
      run(...args);
    } catch (error) {
      found = error as typeof found;
    }
    expect(found.status).toBe(code);
    expect(found.stderr).toMatch(text);
  });
});
