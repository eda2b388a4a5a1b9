import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const folder = mkdtempSync(join(tmpdir(), 'hone-compare-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A program that prints what compare_runs would; `$0` and its words say how. */
function program(name: string, script: string): string {
  const path = join(folder, name);
  writeFileSync(path, script);
  return path;
}

/** Value of an expression over the exports of the gates' modules. */
function outcomeOf(expression: string): unknown {
  const url = (file: string) => pathToFileURL(resolve('test/gates', file)).href;
  const script = `import { compareRuns, runPlans } from '${url('compare-runs.mjs')}';
    import { knownRuns } from '${url('known-runs.mjs')}';
    const machine = (name, path, ...options) => ({ name, command: ['sh', path], options });
    console.log(JSON.stringify(await (async () => (${expression}))()));`;
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }));
}

/** Prints a line of each plan and the summary that tells in how many ways it ran. */
const SAME = 'for p; do echo "$(basename $p) abc 7"; done; echo "$# plans in 25 ways on avx2: 0 differ" >&2';
const good = program('good', SAME);
const quick = program('quick', `[ "$1" = --quick ] || exit 9; shift; ${SAME}`);
const other = program('other', SAME.replace('abc', 'abd'));
const failing = program('failing', `echo "FAIL a.plan: neon, 3 thread(s), mode -1: conv 'c'"; ${SAME}; exit 1`);
const silent = program('silent', 'echo "a.plan abc 7"; exit 0');
const broken = program('broken', 'kill -9 $$');
const plans = JSON.stringify([join(folder, 'a.plan'), join(folder, 'b.plan')]);

test('machines that print the same agree, and say in how many ways', () => {
  const on = `[machine('host', '${good}'), machine('max', '${quick}', '--quick')]`;
  expect(outcomeOf(`compareRuns(${plans}, ${on})`)).toEqual({
    lines: ['a.plan abc 7', 'b.plan abc 7'],
    tensors: 14,
    runs: {
      host: { ways: 25, sets: 'avx2', seconds: expect.any(Number) },
      max: { ways: 25, sets: 'avx2', seconds: expect.any(Number) },
    },
    faults: [],
  });
});

test.each([
  ['other bytes', other, ['max: other bytes: a.plan abd 7', 'max: other bytes: b.plan abd 7']],
  ['a difference within a machine', failing, ["max: FAIL a.plan: neon, 3 thread(s), mode -1: conv 'c'"]],
  ['no summary and a plan less', silent, [expect.stringMatching('max: 1 of 2 plans ran')]],
  ['a crash', broken, [expect.stringMatching('max: 0 of 2 plans ran: SIGKILL')]],
  ['a program that is not there', join(folder, 'none'), [expect.stringMatching('max: 0 of 2 plans ran: exit code')]],
])('%s is a fault', (_, path, faults) => {
  const on = `[machine('host', '${good}'), machine('max', '${path}')]`;
  expect(outcomeOf(`compareRuns(${plans}, ${on}).faults`)).toEqual(faults);
});

test('what ran well is known until program, plan or ways change; what failed is not', () => {
  const [plan, notes] = [join(folder, 'c.plan'), join(folder, 'known.txt')];
  const counted = program('counted', `echo >>${folder}/calls; ${SAME}`);
  const calls = () => readFileSync(join(folder, 'calls'), 'utf8').length;
  const run = (path: string, resume = true, ways = '') =>
    outcomeOf(`(() => { const known = knownRuns('${notes}', ${resume}, (m, p) => runPlans({ ...m, options: [] }, p));
      return [known.runOn(machine('host', '${path}', '${ways}'), ['${plan}']).lines.length, known.taken()]; })()`);
  writeFileSync(plan, 'one');
  expect(run(counted)).toEqual([1, 0]);
  expect(run(counted)).toEqual([1, 1]);
  expect(calls()).toBe(1);
  expect(run(counted, false)).toEqual([1, 0]);
  expect(run(counted, true, '--quick')).toEqual([1, 0]);
  writeFileSync(plan, 'two');
  expect(run(counted)).toEqual([1, 0]);
  program('counted', `echo >>${folder}/calls; : changed; ${SAME}`);
  expect(run(counted)).toEqual([1, 0]);
  expect(calls()).toBe(5);
  expect(run(failing)).toEqual([1, 0]);
  expect(run(failing)).toEqual([1, 0]);
});

test('a run that was killed while it noted leaves the notes usable', () => {
  const [plan, notes] = [join(folder, 'd.plan'), join(folder, 'half.txt')];
  writeFileSync(plan, 'one');
  const run = `knownRuns('${notes}', true)`;
  const once = (known: string) => `(() => { const known = ${known};
    return [known.runOn(machine('host', '${good}'), ['${plan}']).lines, known.taken()]; })()`;
  outcomeOf(once(run));
  const text = readFileSync(notes, 'utf8');
  writeFileSync(notes, text.slice(0, text.length / 2));
  expect(outcomeOf(once(run))).toEqual([['d.plan abc 7'], 0]);
});
