// Every tensor of plans, bit for bit, on every instruction set, thread count and rounding mode:
//   node test/gates/bit-identity.mjs [--all [--only TEXT]... [--shard I/N] [--quick] [--resume] [--record FILE]]
// Takes the sample plans and a graph of every operator; --all takes the networks that people ship and all real models, those of little work first.
//   --only    plans whose names hold one of the texts
//   --shard   every N-th of them, from the I-th (of 1 to N)
//   --quick   on emulated machines the fast rows, 1 and 3 threads and the mode of the process are enough
//   --resume  takes what ran well before (same plan, program and ways) from out/gates/known-runs.txt
//   --record  appends a line of JSON about the run to a file
import { spawnSync } from 'node:child_process';
import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeEnvironment } from '../../dist/bench/environment.js';
import { compareRuns, machines, QUICK, tensorsOf } from './compare-runs.mjs';
import { knownRuns } from './known-runs.mjs';

const { values: options } = parseArgs({
  options: {
    all: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [''] },
    shard: { type: 'string', default: '1/1' },
    quick: { type: 'boolean', default: false },
    resume: { type: 'boolean', default: false },
    record: { type: 'string' },
  },
});
const [shard, shards] = options.shard.split('/').map(Number);
if (!(shard >= 1 && shard <= shards)) throw new Error(`--shard ${options.shard}: expected I/N, I of 1 to N`);
/** Whether a part of the plans alone is looked at. */
const isPart = shards > 1 || options.only[0] !== '';

/** Of two CPUs with the same rows one is enough of many plans. */
const LEFT_OUT = 'cortex-a72';
const on = machines()
  .filter(({ name }) => !options.all || name !== LEFT_OUT)
  .map((machine) => (options.quick && !machine.isHost ? { ...machine, options: QUICK } : machine));
/** Folders, the option that writes each, and how many plans are compared and told of at once. */
const sets = options.all
  ? [[`out/gates/all-plans-${shard}-of-${shards}`, '--all', 1]]
  : [
      ['out/gates/plans', undefined, 1],
      ['out/gates/operators', '--operators', Number.POSITIVE_INFINITY],
    ];
const { runOn, taken } = knownRuns('out/gates/known-runs.txt', options.resume);
const compared = [];
const [faults, skipped] = [[], []];
const fail = (fault) => {
  console.log(`FAIL ${fault}`);
  faults.push(fault);
};
const totals = Object.fromEntries(on.map(({ name }) => [name, { plans: 0, ways: [], sets: '', seconds: 0 }]));
for (const [folder, option, atOnce] of sets) {
  const words = ['dist/test/compile/write-sample-plans.js', folder, ...(option ? [option] : [])];
  const { status } = spawnSync(process.execPath, words, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
  const index = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8'));
  for (const { name, why } of index.skipped) console.log(`skipped ${name}: ${why}`);
  skipped.push(...index.skipped);
  for (const { name, why } of index.faults) fail(`${name}: ${why}`);
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.plan'))
    .map((file) => [join(folder, file), index.macs[file.replace(/\.plan$/, '')] ?? 0])
    .sort(([a, macs], [b, others]) => macs - others || (a < b ? -1 : 1))
    .map(([file]) => file)
    .filter((file) => options.only.some((text) => file.includes(text)))
    .filter((_, at) => at % shards === shard - 1);
  const count = files.length;
  if (count === 0) fail(`no plans to compare in ${folder}`);
  while (files.length > 0) {
    const part = files.splice(0, atOnce);
    const found = compareRuns(part, on, runOn);
    for (const line of found.lines) {
      const [plan, hash] = line.split(' ');
      compared.push({ plan: plan.replace(/\.plan$/, ''), tensors: tensorsOf(line), hash });
    }
    for (const [name, { ways, sets: words, seconds }] of Object.entries(found.runs)) {
      const total = totals[name];
      total.plans += part.length;
      total.seconds += seconds;
      total.sets = words;
      if (!total.ways.includes(ways)) total.ways.push(ways);
    }
    const what = part.length === 1 ? part[0].split('/').at(-1) : `${part.length} plans of ${folder}`;
    const times = Object.entries(found.runs).map(
      ([name, { ways, seconds }]) => `${name} ${ways}x ${seconds.toFixed(1)} s`,
    );
    const verdict = found.faults.length === 0 ? 'same' : `${found.faults.length} FAULTS`;
    console.log(
      `[${count - files.length}/${count}] ${what}: ${found.tensors} tensors, ${times.join(', ')}: ${verdict}`,
    );
    found.faults.forEach(fail);
  }
}
const tensors = compared.reduce((sum, plan) => sum + plan.tensors, 0);
for (const [name, { ways, sets: words, seconds }] of Object.entries(totals))
  console.log(`${name}: ${words}, ${ways.join(' or ')} ways, ${seconds.toFixed(0)} s`);
if (taken() > 0) console.log(`${taken()} runs of those were known from before`);
console.log(
  `${compared.length} plans, ${tensors} tensors compared on ${on.length} machines, ${faults.length} faults, ${skipped.length} skipped`,
);
if (options.record !== undefined) {
  const ways = Object.entries(totals).map(([name, { plans, ways: counts, sets: words, seconds }]) => [
    name,
    { plans, ways: counts.length === 1 ? counts[0] : counts, instructionSets: words, seconds: Math.round(seconds) },
  ]);
  const record = {
    trial: 'bit-identity',
    ...describeEnvironment(),
    ...(isPart ? { only: options.only.filter(Boolean), shard: options.shard } : {}),
    plans: compared.length,
    tensors,
    faults: faults.length,
    machines: Object.fromEntries(ways),
    skipped,
    compared,
  };
  appendFileSync(options.record, `${JSON.stringify(record)}\n`);
}
if (tensors < (isPart ? 1 : 100) || faults.length > 0) process.exit(1);
