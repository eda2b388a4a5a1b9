// Every tensor of the sample plans, bit for bit, on every instruction set, thread count and rounding mode:
//   node test/gates/bit-identity.mjs [--all]
// --all also takes the networks that people ship and all real models, on this machine and emulated x86 alone: they are large.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { compareRuns, machines } from './compare-runs.mjs';

const all = process.argv.includes('--all');
const folder = all ? 'out/gates/all-plans' : 'out/gates/plans';
const on = machines().filter(({ name }) => !all || ['host', 'simde'].includes(name));
const { status } = spawnSync(
  process.execPath,
  ['dist/test/compile/write-sample-plans.js', folder, ...(all ? ['--all'] : [])],
  { stdio: 'inherit' },
);
if (status !== 0) process.exit(status ?? 1);

const plans = readdirSync(folder)
  .filter((file) => file.endsWith('.plan'))
  .sort()
  .map((file) => join(folder, file));
let compared = 0;
let differing = 0;
for (const plan of plans) {
  const { tensors, faults } = compareRuns([plan], on);
  compared += tensors;
  differing += faults.length;
  console.log(`${plan}: ${tensors} tensors on ${on.map(({ name }) => name).join(', ')}`);
  for (const fault of faults) console.log(`FAIL ${fault}`);
}
console.log(`${compared} tensors of ${plans.length} plans compared, ${differing} differ`);
if (compared < 100 || differing > 0) process.exit(1);
