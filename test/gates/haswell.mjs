// Tests that a host could change, on an emulated CPU with AVX2 and no 8-bit dot products, where onnxruntime's integer kernels saturate:
// the compiled tests by jest, one process per core (an emulated process cannot start itself again).
//   node test/gates/haswell.mjs [TEST...]
// A test that is skipped there has proved nothing: it is a failure, unless it wants data that this machine does not have.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { haswellCommand } from '../../deploy/build/qemu.mjs';

/** Compiled tests, the longest first. */
const TESTS = ['jobs/host-figures', 'jobs/fused-sessions', 'ops/layers', 'reference/shift-products'];

/** Groups of tests that want data, by the start of their names. */
const WANTED = {
  'figures of cases': process.env.HONE_TEST_CASES ?? '../shared/cases',
  'figures of real models': process.env.HONE_TEST_DATA ?? '../shared/data',
};
const absent = Object.keys(WANTED).filter((name) => !existsSync(WANTED[name]));

const given = process.argv.slice(2);
const tests = (given.length > 0 ? given : TESTS).map((name) => resolve('dist/test', `${name}.test.js`));
const folder = resolve('out/gates/haswell');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const config = JSON.stringify({
  rootDir: resolve('.'),
  roots: ['<rootDir>/dist/test'],
  testMatch: ['**/*.test.js'],
  testEnvironment: '<rootDir>/test/environment.js',
  transform: {},
  // Emulation takes 10 to 20 times as long, and other work may share the machine.
  testTimeout: 600_000,
  cacheDirectory: folder,
});

const start = performance.now();
const waiting = [...tests];
const results = [];
await Promise.all(
  Array.from({ length: Math.min(availableParallelism(), tests.length) }, async () => {
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) results.push(...(await runTest(path)));
  }),
);
const count = (status) => results.filter((result) => result.status === status).length;
console.log('');
for (const { title, status } of results.filter(({ status }) => status !== 'passed')) console.log(`${status}: ${title}`);
const seconds = ((performance.now() - start) / 1000).toFixed(0);
console.log(
  `haswell: ${count('passed')} of ${results.length} tests passed in ${seconds} s, ${count('pending')} skipped`,
);
if (count('passed') === 0 || !results.every(isGood)) process.exit(1);

function isGood({ title, status }) {
  return status === 'passed' || (status === 'pending' && absent.some((name) => title.startsWith(name)));
}

/** Outcome of every test of a file; what jest says is shown when the file fails. */
async function runTest(path) {
  const name = path.slice(resolve('dist/test').length + 1).replaceAll('/', '-');
  const report = join(folder, `${name}.json`);
  const [command, ...args] = haswellCommand();
  const jest = [
    'node_modules/jest/bin/jest.js',
    '--runInBand',
    '--runTestsByPath',
    path,
    '--json',
    `--outputFile=${report}`,
  ];
  const begin = performance.now();
  const { code, output } = await run(command, [...args, process.execPath, ...jest, `--config=${config}`]);
  let found = [];
  try {
    const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
    found = testResults.flatMap(({ assertionResults }) =>
      assertionResults.map(({ fullName, status }) => ({ title: fullName, status })),
    );
  } catch (error) {
    console.log(`${name}: jest left no report: ${error.message}`);
  }
  const good = code === 0 && found.some(({ status }) => status === 'passed') && found.every(isGood);
  const seconds = ((performance.now() - begin) / 1000).toFixed(0);
  console.log(
    `${good ? 'ok  ' : 'FAIL'} ${name.padEnd(36)} ${String(found.length).padStart(4)} tests ${seconds.padStart(4)} s`,
  );
  if (!good) console.log(output);
  return good || found.some(({ status }) => status !== 'passed')
    ? found
    : [...found, { title: `${name}: exit code ${code}`, status: 'failed' }];
}

function run(command, args) {
  return new Promise((done) => {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let output = '';
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (text) => (output += text));
    child.on('error', (error) => done({ code: error.message, output }));
    child.on('close', (code, signal) => {
      const lines = output.split('\n').filter((line) => !line.includes('warning: TCG'));
      done({ code: signal ?? code, output: lines.join('\n') });
    });
  });
}
