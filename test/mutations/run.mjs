// Breaks the code on purpose, one row of breaks/ at a time, and asks whether a test notices:
//   node test/mutations/run.mjs [--changed [REF]] [--only TEXT,...] [--from ID] [--near]
// Rows are tried in a copy of the working tree. A row is killed by the compiler, by a test of its part, else by any test that reaches
// its file; tests nearest to the file are asked first (nearest-first.js). A test that fails counts when it passes without the break.
// `--changed` takes the rows of files that differ from REF (default: HEAD~1); `--only` those with this id, else those whose id or file
// holds the text; `--from` goes on at a row; `--near` asks the tests of the part alone, which is quicker where many rows survive.
// A row with `survives`, the reason why no test could see it, must survive: so no excuse outlives its cause.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { spawnGroup } from '../gates/limited.mjs';

const node = process.execPath;
const tree = resolve('out/mutate/tree');
const ROWS = 'test/mutations/breaks';
/** Files of breaks/ whose tests are in a folder of another name, in several, or need more than jest. */
const PARTS = {
  client: { tests: ['test/client', 'test/agent'] },
  data: { tests: ['test/datasets'] },
  // Gradients are tested where they train.
  ops: { tests: ['test/ops', 'test/train'] },
  'native-binding': { tests: ['test/engine'], build: 'host' },
  'native-capi': { tests: ['test/capi'], build: 'host' },
  'native-core': { tests: ['test/engine', 'test/compile'], build: 'host' },
  'native-engine': { tests: ['test/engine', 'test/plan', 'test/compile'], build: 'host' },
  'native-kernels': { build: 'tools' },
};
/** A break may make a loop endless: a command that has said nothing for so long is stopped. No test file alone takes as long. */
const SILENCE_MS = 240_000;
/** A test may take so long: what fails because the machine is busy would count as noticing a break. */
const TEST_MS = 180_000;

const JEST = ['node_modules/jest/bin/jest.js', '--silent', '--testTimeout', String(TEST_MS)];

/** By test file: whether it passes without any break. */
const sound = new Map();

const args = process.argv.slice(2);
const rows = chosen();
if (rows.length === 0) {
  console.log('no row concerns these files');
  process.exit(0);
}
const stale = rows.filter(({ file, find }) => !existsSync(file) || readFileSync(file, 'utf8').split(find).length !== 2);
for (const { id, file } of stale)
  console.log(`STALE ${id}: its text does not stand exactly once in ${file}; follow the code`);
if (stale.length > 0) process.exit(1);

copyTree();
await expectSound();
const wrong = [];
for (const [place, row] of rows.entries()) {
  const start = performance.now();
  const killer = await killerOf(row);
  if ((killer === undefined) !== (row.survives !== undefined)) wrong.push(row);
  const outcome = killer ? `killed by ${killer}` : row.survives ? `survives: ${row.survives}` : 'SURVIVES';
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(`${place + 1}/${rows.length} ${row.id} ${row.file}: ${outcome} (${seconds} s)`);
}
const killed = rows.length - rows.filter((row) => wrong.includes(row) !== (row.survives !== undefined)).length;
console.log(`\n${rows.length} breaks: ${killed} killed, ${rows.length - killed} survive`);
for (const { id, file, breaks, find, replace, survives } of wrong)
  console.log(
    survives
      ? `\n${id} is killed now: drop its excuse`
      : `\n${id} survives in ${file} (${breaks})\n- ${find.split('\n').at(-1).trim()}\n+ ${replace.split('\n').at(-1).trim()}`,
  );
process.exit(wrong.length > 0 ? 1 : 0);

/** The rows that the options name, each with its part: the name of its file in breaks/. Native ones come last: a broken addon stays. */
function chosen() {
  const all = readdirSync(ROWS)
    .map((file) => file.replace('.json', ''))
    .sort((a, b) => Number(PARTS[a]?.build !== undefined) - Number(PARTS[b]?.build !== undefined) || (a < b ? -1 : 1))
    .flatMap((part) => JSON.parse(readFileSync(join(ROWS, `${part}.json`), 'utf8')).map((row) => ({ ...row, part })));
  const option = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
  const only = option('--only')?.split(',');
  const changed = args.includes('--changed') ? filesSince(option('--changed') ?? 'HEAD~1') : undefined;
  const from = args.includes('--from') ? all.findIndex(({ id }) => id === option('--from')) : 0;
  if (from < 0) throw new Error(`--from: no row ${option('--from')}`);
  const ids = new Set(all.map(({ id }) => id));
  const named = ({ id, file }) => only.some((text) => (ids.has(text) ? id === text : (id + file).includes(text)));
  return all.slice(from).filter((row) => (!only || named(row)) && (changed?.includes(row.file) ?? true));
}

function filesSince(ref) {
  const { stdout, stderr, status } = spawnSync('git', ['diff', '--name-only', ref], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`git diff ${ref}: ${stderr}`);
  return stdout.split('\n');
}

/** The working tree with what git does not ignore; packages and data by link, native builds by copy. */
function copyTree() {
  rmSync(tree, { recursive: true, force: true });
  const { stdout } = spawnSync('git', ['ls-files', '-co', '--exclude-standard'], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  for (const file of stdout.split('\n'))
    if (file !== '' && existsSync(file)) cpSync(file, join(tree, file), { recursive: true });
  symlinkSync(resolve('node_modules'), join(tree, 'node_modules'));
  const shared = join(dirname(tree), 'shared');
  rmSync(shared, { force: true });
  if (existsSync('../shared')) symlinkSync(resolve('../shared'), shared);
  mkdirSync(join(tree, 'out'), { recursive: true });
  if (!native()) cpSync('build', join(tree, 'build'), { recursive: true, dereference: true });
}

function native() {
  return rows.some(({ part }) => PARTS[part]?.build);
}

/** @throws when the code does not build, or kernels differ from their oracle, before anything is broken. */
async function expectSound() {
  const builds = native() ? [await build('host'), await build('tools')] : [];
  if (!builds.every((done) => done) || !(await typesHold()))
    throw new Error('the code does not build without any break');
  if (rows.some(({ part }) => part === 'native-kernels') && !(await checkKernels()))
    throw new Error('check_kernels fails without any break');
}

/** What notices the break of a row, undefined when nothing does; the file is whole again behind it. */
async function killerOf(row) {
  const file = join(tree, row.file);
  const text = readFileSync(file, 'utf8');
  const unsound = [];
  for (;;) {
    writeFileSync(
      file,
      text.replace(row.find, () => row.replace),
    );
    const found = await faultOf(row, unsound);
    writeFileSync(file, text);
    if (found === undefined || !found.endsWith('.test.ts') || (await isSound(found, row))) return found;
    console.log(`${found} fails without any break: what it says of ${row.id} does not count`);
    unsound.push(found);
  }
}

/** What fails in the tree as it is: the compiler, `check_kernels`, or the first test that is not among those left out. */
async function faultOf({ part, file }, leftOut) {
  const { tests = [`test/${part}`], build: target } = PARTS[part] ?? {};
  if (target && !(await build(target))) return 'the compiler';
  if (target === 'tools') {
    const kernel = relative('native/kernels', file).split('/')[0];
    return (await checkKernels(`--op=${kernel}`)) ? undefined : 'check_kernels';
  }
  if (!(await typesHold())) return 'the compiler';
  // Jest knows the tests that reach a file from what the files below its roots import; of C++ it knows nothing.
  const asked =
    target || args.includes('--near')
      ? tests
      : ['--roots', '<rootDir>/test', '<rootDir>/lib', '--findRelatedTests', file, ...tests.flatMap(testsBelow)];
  const order = ['--bail', '--testSequencer', './test/mutations/nearest-first.js'];
  const without = leftOut.length > 0 ? ['--testPathIgnorePatterns', ...leftOut] : [];
  return await jest([...order, ...asked, ...without], { HONE_BROKEN: file, HONE_PART: tests.join(' ') });
}

function testsBelow(folder) {
  return readdirSync(folder, { recursive: true })
    .map((file) => join(folder, file))
    .filter((file) => file.endsWith('.test.ts') && statSync(file).isFile());
}

/** Whether a test passes while nothing is broken. */
async function isSound(test, { part }) {
  if (!sound.has(test)) {
    if (PARTS[part]?.build) await build(PARTS[part].build);
    await typesHold();
    sound.set(test, (await jest(['--runTestsByPath', test])) === undefined);
  }
  return sound.get(test);
}

/** The test that fails, or that jest itself does; undefined when all pass. */
async function jest(given, env = {}) {
  const { done, late, said } = await run(node, [...JEST, ...given], env);
  if (done) return undefined;
  return said.match(/^FAIL (\S+\.test\.ts)/m)?.[1] ?? (late ? 'a test that does not end' : 'a jest that fails');
}

/** That a break leaves a name unused is no proof that anything noticed what it does. */
async function typesHold() {
  const tsc = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'];
  return (await run(node, [...tsc, '--noUnusedLocals', 'false', '--noUnusedParameters', 'false'])).done;
}

async function build(target) {
  return (await run(node, ['deploy/build/native.mjs', target])).done;
}

async function checkKernels(...given) {
  return (await run(join(tree, `build/${process.platform}-${process.arch}/check_kernels`), given)).done;
}

/** Runs a command until it ends or is silent for too long; then nothing of it, such as a test in an endless loop, is left. */
async function run(command, given, env = {}) {
  const { child, end, ended } = spawnGroup([command, ...given], {
    cwd: tree,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let [said, late] = ['', false];
  let timer;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      late = true;
      end();
    }, SILENCE_MS);
  };
  wait();
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said += text;
    wait();
  });
  child.on('exit', end);
  const code = await ended;
  clearTimeout(timer);
  return { done: code === 0, late, said };
}
