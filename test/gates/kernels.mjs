// Kernels and engine on this machine:  node test/gates/kernels.mjs host | simde | sanitizers | threads
//   host        every kernel row of this CPU against ref; the rows linked are the files compiled; 0 heap allocations per inference;
//               sessions opened 1,000 times, and without memory; forks
//   simde       every x86 row, AVX-512 emulated on AVX2, so that no host skips one; on any CPU, so that the emulation lasts
//   sanitizers  the same programs with the address and undefined-behaviour sanitizers, in fewer rounds
//   threads     the engine with the thread sanitizer
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { compareLinkedRows } from '../../deploy/build/linked-rows.mjs';
import { PLAN_OPS } from '../../dist/lib/plan/plan-ops.js';
import { hostWords, X86_WORDS } from './host-words.mjs';

const MODES = {
  host: { build: 'tools', folder: `build/${process.platform}-${process.arch}`, kernels: true, rounds: 1000 },
  simde: { build: 'simde', folder: 'build/simde', kernels: true, words: X86_WORDS },
  sanitizers: { build: 'asan', folder: 'build/asan', kernels: true, rounds: 40 },
  threads: { build: 'tsan', folder: 'build/tsan', kernels: false, rounds: 40 },
};
const mode = MODES[process.argv[2]];
if (mode === undefined) throw new Error(`usage: kernels.mjs ${Object.keys(MODES).join(' | ')}`);

run(process.execPath, ['deploy/build/native.mjs', mode.build]);
if (mode.kernels) {
  const rows = compareLinkedRows(join(mode.folder, 'check_kernels'), [], process.arch);
  console.log(`${rows} rows of the linked tables are those of native/sources.json`);
  run(
    join(mode.folder, 'check_kernels'),
    (mode.words ?? hostWords()).map((word) => `--require=${word}`),
  );
}
if (mode.build === 'simde') {
  expectNoWideRegisters(join(mode.folder, 'check_kernels'));
  process.exit(0);
}

const plans = 'out/gates/plans';
if (!existsSync(join(plans, 'denormals.plan')))
  run(process.execPath, ['dist/test/compile/write-sample-plans.js', plans]);
const files = readdirSync(plans).filter((name) => name.endsWith('.plan'));
if (files.length < 3) throw new Error(`only ${files.length} sample plans in ${plans}`);
/** Operations that ran with gaps between the rows of an operand. */
const withGaps = new Set();
for (const file of files) {
  const printed = run(join(mode.folder, 'stress_engine'), [join(plans, file), String(mode.rounds)]);
  for (const word of /gaps between .*;(.*)/.exec(printed)[1].split(' ')) withGaps.add(word);
}
/** Operations that take rows without gaps alone: the strides of a copy are the plan's own; the others walk over elements. */
const DENSE = new Set([
  'copy_nd',
  'cast',
  'binary_int',
  'compare',
  'select',
  'gather',
  'gather_elements',
  'gather_nd',
  'scatter_elements',
  'scatter_nd',
  'skip',
  'arg_extreme',
  'cumulative_sum',
  'top_k',
  'non_zero',
  'require',
  'non_max_suppression',
]);
const without = Object.keys(PLAN_OPS).filter((word) => !DENSE.has(word) && !withGaps.has(word));
if (without.length > 0) throw new Error(`never run with gaps between rows: ${without.join(', ')}`);
console.log(`${process.argv[2]}: ${files.length} plans stressed in ${mode.rounds} rounds each`);

/** Emulation is proved by what is not there: the 64-byte registers. */
function expectNoWideRegisters(program) {
  const { stdout, status } = spawnSync('objdump', ['-d', '--no-show-raw-insn', program], {
    encoding: 'utf8',
    maxBuffer: 1 << 29,
  });
  const narrow = stdout?.match(/%ymm/g)?.length ?? 0;
  const wide = stdout?.match(/%zmm/g)?.length ?? 0;
  console.log(`${program}: ${narrow} uses of 32-byte registers, ${wide} of 64-byte registers`);
  if (status !== 0 || narrow === 0 || wide > 0) process.exit(1);
}

function run(command, args) {
  // None takes a tenth of that: it hangs, and what it printed says where.
  const { status, signal, error, stdout } = spawnSync(command, args, {
    stdio: ['inherit', 'pipe', 'inherit'],
    timeout: 600_000,
    killSignal: 'SIGKILL',
  });
  process.stdout.write(stdout ?? '');
  if (status === 0) return String(stdout);
  console.error(`${command} ${args.join(' ')}: ${error?.message ?? signal ?? `exit code ${status}`}`);
  process.exit(1);
}
