// The same plan and input on every instruction set and thread count: every intermediate tensor must have the same bytes.
// Runs run_plan on this machine, with AVX-512 emulated (so that no host leaves a row out) and under qemu, and compares the
// dumps with those of the reference kernels. Whatever cannot run is a failure.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildArm64, qemuCommand } from '../../deploy/build/qemu.mjs';
import { hostWords, X86_WORDS } from './host-words.mjs';

const host = `build/${process.platform}-${process.arch}`;
const plansFolder = 'out/gates/plans';
const emulated = process.arch === 'x64' ? X86_WORDS.filter((word) => word !== 'avx2') : [];
run(process.execPath, ['deploy/build/native.mjs', 'tools', ...(emulated.length > 0 ? ['simde'] : [])]);
run(process.execPath, ['dist/test/compile/write-sample-plans.js', plansFolder]);
const arm = join(buildArm64(['run_plan']), 'run_plan');

const RUNS = [
  ...['ref', ...hostWords()].flatMap((cpu) =>
    [1, 2, 4].map((threads) => ({ command: [join(host, 'run_plan')], cpu, threads })),
  ),
  ...emulated.flatMap((cpu) =>
    [1, 4].map((threads) => ({ command: ['build/simde/run_plan'], cpu, threads, name: 'simde' })),
  ),
  ...[
    ['cortex-a53', 'neon'],
    ['cortex-a72', 'neon'],
    ['cortex-a76', 'neon_dotprod'],
    ['max', 'neon_i8mm'],
  ].flatMap(([name, cpu]) => [1, 4].map((threads) => ({ command: [...qemuCommand(name), arm], cpu, threads, name }))),
];

const plans = readdirSync(plansFolder).sort();
let compared = 0;
let differing = 0;
for (const plan of plans) {
  const path = join(plansFolder, plan);
  let expected;
  for (const { command, cpu, threads, name = 'host' } of RUNS) {
    const found = dumpHashes(command, path, cpu, threads);
    expected ??= found;
    const names = new Set([...expected.keys(), ...found.keys()]);
    const wrong = [...names].filter((file) => expected.get(file) !== found.get(file));
    compared += names.size;
    differing += wrong.length;
    if (wrong.length > 0)
      console.log(`FAIL ${plan} ${name} ${cpu} ${threads} thread(s): ${wrong.slice(0, 5).join(', ')} differ`);
  }
  console.log(`${plan}: ${expected.size} tensors on ${RUNS.length} configurations`);
}
console.log(`${compared} tensors compared over ${plans.length} plans, ${differing} differ`);
if (compared < 100 || differing > 0) process.exit(1);

/** SHA-256 of every dumped tensor by file name. */
function dumpHashes(command, plan, cpu, threads) {
  const folder = mkdtempSync(join(tmpdir(), 'hone-dump-'));
  try {
    const args = [
      ...command.slice(1),
      plan,
      '--cpu',
      cpu,
      '--threads',
      String(threads),
      '--seed',
      '3',
      '--dump',
      folder,
    ];
    const result = spawnSync(command[0], args, { encoding: 'utf8' });
    if (result.status !== 0)
      throw new Error(
        `${command.join(' ')} ${plan} (${cpu}): ${result.error?.message ?? result.signal ?? result.status} ${result.stderr}`,
      );
    const files = readdirSync(folder).sort();
    return new Map(
      files.map((file) => [
        file,
        createHash('sha256')
          .update(readFileSync(join(folder, file)))
          .digest('hex'),
      ]),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function run(command, args) {
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
