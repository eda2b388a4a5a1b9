// Every tensor of plans, bit for bit, on every instruction set, thread count and rounding mode:
//   node test/gates/bit-identity.mjs [--all]
// Takes the sample plans and a graph of every operator; --all takes the networks that people ship and all real models, on this machine
// and emulated x86 alone: they are large.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { compareRuns, machines } from './compare-runs.mjs';

const all = process.argv.includes('--all');
const on = machines().filter(({ name }) => !all || ['host', 'simde'].includes(name));
/** Folders, the option that writes each, and how many plans are compared and told of at once. */
const sets = all
  ? [['out/gates/all-plans', '--all', 1]]
  : [
      ['out/gates/plans', undefined, 1],
      ['out/gates/operators', '--operators', Number.POSITIVE_INFINITY],
    ];
let [plans, compared, differing] = [0, 0, 0];
for (const [folder, option, atOnce] of sets) {
  const words = ['dist/test/compile/write-sample-plans.js', folder, ...(option ? [option] : [])];
  const { status } = spawnSync(process.execPath, words, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.plan'))
    .sort()
    .map((file) => join(folder, file));
  if (files.length === 0) throw new Error(`no plans in ${folder}`);
  while (files.length > 0) {
    const part = files.splice(0, atOnce);
    const { tensors, faults } = compareRuns(part, on);
    plans += part.length;
    compared += tensors;
    differing += faults.length;
    const what = part.length === 1 ? part[0] : `${part.length} plans of ${folder}`;
    console.log(`${what}: ${tensors} tensors on ${on.map(({ name }) => name).join(', ')}`);
    for (const fault of faults) console.log(`FAIL ${fault}`);
  }
}
console.log(`${compared} tensors of ${plans} plans compared, ${differing} differ`);
if (compared < 100 || differing > 0) process.exit(1);
