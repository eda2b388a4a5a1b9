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
// Of its own: two runs at once must not mix their plans.
const folder = `out/gates/graphs-${process.pid}`;
const on = machines();
const host = on.filter(({ isHost }) => isHost);
let [plans, emulated, tensors, failed] = [0, 0, 0, 0];
console.log(`${count} graphs from seed ${seed}`);
for (let first = 0; first < count; first += CHUNK) {
  const start = performance.now();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const args = ['--seed', String(seed + first), '--count', String(Math.min(CHUNK, count - first)), '--plans', folder];
  const { status } = spawnSync(process.execPath, ['dist/test/random/fuzz.js', ...args], { stdio: 'inherit' });
  if (status !== 0) failed++;
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.plan'))
    .map((file) => join(folder, file));
  const part = files.slice(0, EMULATED);
  const compared = [compareRuns(files, host), compareRuns(part, on)];
  plans += files.length;
  emulated += part.length;
  tensors += compared[0].tensors;
  const faults = compared.flatMap((found) => found.faults);
  failed += faults.length;
  for (const fault of faults) console.log(`FAIL seeds from ${seed + first}: ${fault}`);
  const ways = Object.entries(compared[1].runs).map(([name, run]) => `${name} ${run.ways}x`);
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(
    `[${Math.min(first + CHUNK, count)}/${count}] ${files.length} plans, ${part.length} of them emulated: ${ways.join(', ')}, ${seconds} s`,
  );
}
rmSync(folder, { recursive: true, force: true });
console.log(
  `${count} graphs, ${plans} plans, ${tensors} tensors compared here, ${emulated} plans on ${on.length} machines, ${failed} faults`,
);
if (failed > 0 || plans === 0 || tensors < count) process.exit(1);
