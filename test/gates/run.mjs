// The gates of the project:  node test/gates/run.mjs test | check [--without-tests] | nightly | NAME...
// Each gate is one command; a gate that checked nothing fails by itself. The last line is `N passed, N failed`.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runLimited } from './limited.mjs';

const node = process.execPath;
const bin = (name) => [node, `node_modules/${name}`];

/** Most minutes of a gate: several times what the slowest takes on two cores. */
const MINUTES = { check: 30, nightly: 300 };

/**
 * name -> { what, command } in the order of `check`; those that take long are `nightly`. Tests count as the tests that ran, every
 * other gate as one.
 */
const GATES = {
  tests: { what: 'all tests that need no hardware', tests: 'jest.config.js' },
  lint: {
    what: 'format and lint (Biome)',
    command: [...bin('@biomejs/biome/bin/biome'), 'check', '--error-on-warnings', '.'],
  },
  types: {
    what: 'strict types',
    command: [...bin('typescript/bin/tsc'), '-p', 'tsconfig.json', '--noEmit', '--incremental', 'false'],
  },
  'dead-code': { what: 'unused files, exports and dependencies (knip)', command: [...bin('knip/bin/knip.js')] },
  'native-style': { what: 'clang-format and clang-tidy', command: [node, 'test/gates/native-style.mjs'] },
  'native-analyzer': {
    what: "the checks of clang's static analyzer",
    nightly: true,
    command: [node, 'test/gates/native-style.mjs', '--analyzer'],
  },
  'kernels-host': { what: 'every kernel row on this CPU', command: [node, 'test/gates/kernels.mjs', 'host'] },
  'kernels-simde': {
    what: 'every x86 row, AVX-512 emulated by SIMDe',
    command: [node, 'test/gates/kernels.mjs', 'simde'],
  },
  'kernels-sanitizers': {
    what: 'kernels and engine under address and undefined-behaviour sanitizers',
    command: [node, 'test/gates/kernels.mjs', 'sanitizers'],
  },
  'threads-sanitizer': {
    what: 'engine under the thread sanitizer',
    command: [node, 'test/gates/kernels.mjs', 'threads'],
  },
  'kernels-qemu': {
    what: 'kernels under qemu on four ARM CPUs',
    command: [node, 'deploy/build/qemu.mjs', 'check', '--cpu', 'cortex-a53,cortex-a72,cortex-a76,max'],
  },
  haswell: {
    what: 'figures and integer products on an emulated x86 host with AVX2 alone',
    command: [node, 'test/gates/haswell.mjs'],
  },
  'plans-qemu': {
    what: 'whole models bit for bit: all instruction sets, thread counts and rounding modes, ARM too',
    command: [node, 'test/gates/bit-identity.mjs'],
  },
  'addon-arm64': {
    what: 'ARM addon and C API: build, glibc floor, run under emulation',
    command: [node, 'test/gates/addon-arm64.mjs'],
  },
  board: {
    what: 'tests on an emulated arm64 board, built when the cache has none',
    nightly: true,
    tests: 'test/board/jest.config.js',
  },
  package: {
    what: 'the package in an empty project: Node 20, 22 and 24, imports, types, build-addon',
    command: [node, 'test/gates/package.mjs'],
  },
  'fused-multiply-add': {
    what: 'no fused multiply-add in integer kernels, those for ARM too (built by now)',
    command: ['env', 'HONE_REQUIRE_BUILDS=1', ...bin('jest/bin/jest.js'), 'test/tidy/fma'],
  },
  'addon-gyp': { what: 'node-gyp build of the same sources', command: [node, 'deploy/build/native.mjs', 'gyp'] },
  'fuzz-plan': {
    what: 'plan loader, 20 s of fuzzing',
    command: [node, 'test/gates/fuzz.mjs', 'plan', '--seconds', '20'],
  },
  'fuzz-onnx': {
    what: 'models to the end of compile, run and quantize, 20 s of fuzzing',
    // One seed, so that a red run can be had again; without it every run draws other models.
    command: [node, 'dist/test/onnx/fuzz.js', '--seconds', '20', '--seed', '1'],
  },
  'fuzz-protocol': {
    what: 'bodies of inference requests and responses, frames: 20 s of fuzzing',
    command: [node, 'dist/test/protocol/fuzz.js', '--seconds', '20', '--seed', '1'],
  },
  'fuzz-http': {
    what: 'requests to a running agent, 20 s of fuzzing',
    command: [node, 'dist/test/agent/hostile/fuzz.js', '--seconds', '20', '--seed', '1'],
  },
  'properties-anew': {
    what: 'every property with a seed of its own and ten times the cases',
    nightly: true,
    command: [node, 'test/gates/properties.mjs'],
  },
  'random-graphs': {
    what: '20,000 random graphs with all operators: onnxruntime, then bit for bit in every way to run',
    nightly: true,
    command: [node, 'test/gates/random-graphs.mjs'],
  },
  'plans-all': {
    what: 'the networks that people ship and all real models, bit for bit in every way to run',
    nightly: true,
    command: [node, 'test/gates/bit-identity.mjs', '--all'],
  },
  'agent-peers': {
    what: 'a running agent asked by tritonclient, perf_analyzer, curl, Prometheus and Chromium; those absent are named',
    nightly: true,
    command: [node, 'test/gates/agent-peers.mjs', '--record', 'bench/results/agent-peers.jsonl'],
  },
  mutations: {
    what: 'every listed break of the code is noticed by a test',
    nightly: true,
    command: [node, 'test/mutations/run.mjs'],
  },
  'fuzz-plan-hour': {
    what: 'plan loader, an hour of fuzzing',
    nightly: true,
    command: [node, 'test/gates/fuzz.mjs', 'plan', '--seconds', '3600'],
  },
  'fuzz-onnx-hour': {
    what: 'models to the end of compile, run and quantize, an hour of fuzzing with a seed of its own',
    nightly: true,
    command: [node, 'dist/test/onnx/fuzz.js', '--seconds', '3600'],
  },
  'fuzz-protocol-long': {
    what: 'bodies of inference requests and responses, frames: ten minutes of fuzzing with a seed of its own',
    nightly: true,
    command: [node, 'dist/test/protocol/fuzz.js', '--seconds', '600'],
  },
  'fuzz-http-long': {
    what: 'requests to a running agent, ten minutes of fuzzing with a seed of its own',
    nightly: true,
    command: [node, 'dist/test/agent/hostile/fuzz.js', '--seconds', '600'],
  },
};

const args = process.argv.slice(2);
const names =
  args[0] === 'test'
    ? ['tests']
    : args[0] === 'check'
      ? Object.keys(GATES).filter(
          (name) => !GATES[name].nightly && (name !== 'tests' || !args.includes('--without-tests')),
        )
      : args[0] === 'nightly'
        ? Object.keys(GATES).filter((name) => GATES[name].nightly)
        : args;
const unknown = names.filter((name) => !(name in GATES));
if (names.length === 0 || unknown.length > 0) {
  console.error(`usage: run.mjs test | check [--without-tests] | nightly | ${Object.keys(GATES).join(' | ')}`);
  process.exit(2);
}

let passed = 0;
let failed = 0;
const lines = [];
for (const name of names) {
  const gate = GATES[name];
  const start = performance.now();
  if (names.length > 1) console.log(`\n=== ${name}: ${gate.what}`);
  const outcome = await (gate.tests ? runTests(name, gate) : runCommand(gate));
  passed += outcome.passed;
  failed += outcome.failed;
  lines.push(
    `${outcome.failed === 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(20)} ${((performance.now() - start) / 1000).toFixed(0).padStart(4)} s`,
  );
}
console.log(`\n${lines.join('\n')}\n\n${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

async function runCommand({ command, nightly }) {
  const minutes = nightly ? MINUTES.nightly : MINUTES.check;
  const ok = (await runLimited(command, { stdio: 'inherit', minutes })) === 0;
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1 };
}

/** Runs jest and counts its tests; those skipped are named. */
async function runTests(name, { tests: config, nightly }) {
  const report = join('out', 'gates', `${name}.json`);
  mkdirSync(join('out', 'gates'), { recursive: true });
  rmSync(report, { force: true });
  const status = await runLimited(
    [...bin('jest/bin/jest.js'), '--config', config, '--json', `--outputFile=${report}`],
    { stdio: ['inherit', 'ignore', 'inherit'], minutes: nightly ? MINUTES.nightly : MINUTES.check },
  );
  try {
    const { numPassedTests, numFailedTests, numFailedTestSuites, testResults } = JSON.parse(
      readFileSync(report, 'utf8'),
    );
    const skipped = testResults.flatMap(({ assertionResults }) =>
      assertionResults.filter(({ status }) => status === 'pending').map(({ fullName }) => fullName),
    );
    if (skipped.length > 0) console.log(`${skipped.length} tests skipped:\n  ${skipped.join('\n  ')}`);
    if (numPassedTests === 0) console.log('no test ran: that is a failure');
    return {
      passed: numPassedTests,
      failed: Math.max(numFailedTests, numFailedTestSuites > 0 || numPassedTests === 0 || status !== 0 ? 1 : 0),
    };
  } catch (error) {
    console.log(`jest left no report: ${error.message}`);
    return { passed: 0, failed: 1 };
  }
}
