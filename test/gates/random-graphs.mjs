// Random graphs with all operators: the engine against onnxruntime, then every tensor bit for bit on every instruction set, thread
// count and rounding mode; a part of them on emulated machines too.
//   node test/gates/random-graphs.mjs [--count N] [--seed N]
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { compareRuns, machines } from './compare-runs.mjs';

const numberOf = (option, otherwise) => {
  const at = process.argv.indexOf(option);
  return at === -1 ? otherwise : Number(process.argv[at + 1]);
};
const seed = numberOf('--seed', Math.floor(Math.random() * 2 ** 30));
const count = numberOf('--count', 20_000);
/** Graphs per process, and how many of them go to emulated machines. */
const [CHUNK, EMULATED] = [1000, 50];
const folder = 'out/gates/graphs';
const on = machines();
let failed = 0;
let tensors = 0;
console.log(`${count} graphs from seed ${seed}`);
for (let first = 0; first < count; first += CHUNK) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const args = ['--seed', String(seed + first), '--count', String(Math.min(CHUNK, count - first)), '--plans', folder];
  const { status } = spawnSync(process.execPath, ['dist/test/random/fuzz.js', ...args], { stdio: 'inherit' });
  if (status !== 0) failed++;
  const plans = readdirSync(folder)
    .filter((file) => file.endsWith('.plan'))
    .map((file) => join(folder, file));
  const parts = [
    compareRuns(
      plans,
      on.filter(({ isHost }) => isHost),
    ),
    compareRuns(plans.slice(0, EMULATED), on),
  ];
  tensors += parts[0].tensors;
  for (const fault of parts.flatMap(({ faults }) => faults)) {
    failed++;
    console.log(`FAIL seeds from ${seed + first}: ${fault}`);
  }
}
console.log(`${tensors} tensors compared, ${failed} faults`);
if (failed > 0 || tensors < count) process.exit(1);
