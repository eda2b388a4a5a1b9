// Kernels and engine on this machine:  node test/gates/kernels.mjs host | sanitizers | threads
//   host        every kernel row of this CPU against ref; 0 heap allocations per inference; sessions opened 1,000 times,
//               and without memory; forks
//   sanitizers  the same programs with the address and undefined-behaviour sanitizers, in fewer rounds
//   threads     the engine with the thread sanitizer
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const MODES = {
  host: { build: 'tools', folder: `build/${process.platform}-${process.arch}`, kernels: true, rounds: 1000 },
  sanitizers: { build: 'asan', folder: 'build/asan', kernels: true, rounds: 40 },
  threads: { build: 'tsan', folder: 'build/tsan', kernels: false, rounds: 40 },
};
const mode = MODES[process.argv[2]];
if (mode === undefined) throw new Error(`usage: kernels.mjs ${Object.keys(MODES).join(' | ')}`);

run(process.execPath, ['deploy/build/native.mjs', mode.build]);
if (mode.kernels)
  run(
    join(mode.folder, 'check_kernels'),
    bestWord().map((word) => `--require=${word}`),
  );

const plans = 'out/gates/plans';
if (!existsSync(plans)) run(process.execPath, ['dist/test/compile/write-sample-plans.js', plans]);
const files = readdirSync(plans).filter((name) => name.endsWith('.plan'));
if (files.length < 3) throw new Error(`only ${files.length} sample plans in ${plans}`);
for (const file of files) run(join(mode.folder, 'stress_engine'), [join(plans, file), String(mode.rounds)]);
console.log(`${process.argv[2]}: ${files.length} plans stressed in ${mode.rounds} rounds each`);

/** The instruction sets that this CPU must not skip. */
function bestWord() {
  if (process.arch === 'arm64') return ['neon'];
  const flags = existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : '';
  return [/\bavx2\b/.test(flags) && 'avx2', /\bavx512_vnni\b/.test(flags) && 'avx512vnni'].filter(Boolean);
}

function run(command, args) {
  const { status, signal, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (status === 0) return;
  console.error(`${command} ${args.join(' ')}: ${error?.message ?? signal ?? `exit code ${status}`}`);
  process.exit(1);
}
