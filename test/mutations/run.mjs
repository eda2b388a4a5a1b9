// Breaks the code on purpose, one row of breaks/ at a time, and asks whether a test notices:
//   node test/mutations/run.mjs [--changed [REF]] [--only TEXT]
// Rows are tried in a copy of the working tree. A row is killed by the compiler, by a test of its part, else by any test that reaches
// its file. `--changed` takes the rows of files that differ from REF (default: HEAD~1); `--only` those whose id or file holds the text.
// A row with `survives`, the reason why no test could see it, must survive: so no excuse outlives its cause.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const node = process.execPath;
const tree = resolve('out/mutate/tree');
const ROWS = 'test/mutations/breaks';
/** Files of breaks/ whose tests are in a folder of another name, in several folders, or need more than jest. */
const PARTS = {
  client: { tests: ['test/agent', 'test/client'] },
  data: { tests: ['test/datasets', 'test/data'] },
  engine: { tests: ['test/engine'] },
  'native-binding': { tests: ['test/engine'], build: 'host' },
  'native-core': { tests: ['test/engine', 'test/compile'], build: 'host' },
  'native-engine': { tests: ['test/engine', 'test/plan', 'test/compile'], build: 'host' },
  'native-kernels': { build: 'tools' },
};

/** What notices a break that the tests of its own part do not. */
const ELSEWHERE = 'a test of another part';
/** By file: whether the tests that reach it pass without any break. */
const whole = new Map();

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
for (const part of new Set(rows.map(({ part }) => part))) {
  const fault = faultOf(part, undefined);
  if (fault) throw new Error(`the tests of ${part} fail without any break (${fault})`);
}
const wrong = [];
rows.forEach((row, place) => {
  const start = performance.now();
  const file = join(tree, row.file);
  const text = readFileSync(file, 'utf8');
  writeFileSync(
    file,
    text.replace(row.find, () => row.replace),
  );
  const found = faultOf(row.part, row.file);
  writeFileSync(file, text);
  // The tests that reach a file are asked without the break too, but only where they would tell.
  const killer = found === ELSEWHERE && !passesWhole(row.file) ? undefined : found;
  if ((killer === undefined) !== (row.survives !== undefined)) wrong.push(row);
  const outcome = killer ? `killed by ${killer}` : row.survives ? `survives: ${row.survives}` : 'SURVIVES';
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(`${place + 1}/${rows.length} ${row.id} ${row.file}: ${outcome} (${seconds} s)`);
});
const killed = rows.length - rows.filter((row) => wrong.includes(row) !== (row.survives !== undefined)).length;
console.log(`\n${rows.length} breaks: ${killed} killed, ${rows.length - killed} survive`);
for (const { id, file, breaks, find, replace, survives } of wrong)
  console.log(
    survives
      ? `\n${id} is killed now: drop its excuse`
      : `\n${id} survives in ${file} (${breaks})\n- ${find.split('\n').at(-1).trim()}\n+ ${replace.split('\n').at(-1).trim()}`,
  );
process.exit(wrong.length > 0 ? 1 : 0);

/** The rows that the options name, each with its part: the name of its file in breaks/. */
function chosen() {
  const all = readdirSync(ROWS).flatMap((file) =>
    JSON.parse(readFileSync(join(ROWS, file), 'utf8')).map((row) => ({ ...row, part: file.replace('.json', '') })),
  );
  const only = args.includes('--only') ? args[args.indexOf('--only') + 1] : '';
  const changed = args.includes('--changed') ? filesSince(args[args.indexOf('--changed') + 1] ?? 'HEAD~1') : undefined;
  return all.filter(({ id, file }) => (id + file).includes(only) && (changed?.includes(file) ?? true));
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
  if (rows.some(({ part }) => PARTS[part]?.build)) for (const target of ['host', 'tools']) build(target);
  else cpSync('build', join(tree, 'build'), { recursive: true, dereference: true });
}

/** What notices that the tree is broken, undefined when nothing does. */
function faultOf(part, file) {
  const { tests = [`test/${part}`], build: target } = PARTS[part] ?? {};
  if (target && !build(target)) return 'the compiler';
  if (target === 'tools') {
    const kernel = file ? [`--op=${relative('native/kernels', file).split('/')[0]}`] : [];
    return run(join(tree, `build/${process.platform}-${process.arch}/check_kernels`), kernel)
      ? undefined
      : 'check_kernels';
  }
  if (!run(node, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'])) return 'the compiler';
  const near = tests.filter((folder) => existsSync(folder));
  if (!jest(near)) return near.join(' ');
  // A test anywhere may hold what the part's own do not.
  return file === undefined || target || jest(related(file)) ? undefined : ELSEWHERE;
}

/** What jest is asked for the tests that reach a file: it knows the files below its roots alone. */
function related(file) {
  return ['--roots', '<rootDir>/test', '<rootDir>/lib', '--passWithNoTests', '--findRelatedTests', file];
}

/** Whether the tests that reach a file pass without any break of it. */
function passesWhole(file) {
  if (!whole.has(file)) {
    run(node, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json']);
    whole.set(file, jest(related(file)));
    if (!whole.get(file))
      console.log(`the tests that reach ${file} fail without any break: what they say does not count`);
  }
  return whole.get(file);
}

function jest(what) {
  return run(node, ['node_modules/jest/bin/jest.js', '--bail', '--silent', ...what]);
}

function build(target) {
  return run(node, ['deploy/build/native.mjs', target]);
}

function run(command, given) {
  // A break may make a loop endless.
  return (
    spawnSync(command, given, { cwd: tree, stdio: 'ignore', timeout: 600_000, killSignal: 'SIGKILL' }).status === 0
  );
}
