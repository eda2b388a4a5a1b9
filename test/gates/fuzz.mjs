// Fuzzes the plan loader with libFuzzer:  node test/gates/fuzz.mjs plan [--seconds N] [--seed N]
// Every run begins with the same corpus, the smaller sample plans and the plans that once broke the loader
// (test/engine/crashers), so that a seed can be run again. Crashing inputs are left in out/gates.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Plans above this size spend the time in their weights. */
const MOST_BYTES = 100_000;
/** Fewer executions per second than this mean that something is wrong with the fuzzer. */
const LEAST_PER_SECOND = 30;

const seconds = option('--seconds', 20);
const seed = option('--seed', 1);
if (process.argv[2] !== 'plan' || !(seconds > 0) || !(seed > 0))
  throw new Error('usage: fuzz.mjs plan [--seconds N] [--seed N]');

run(process.execPath, ['deploy/build/native.mjs', 'fuzz']);
const plans = 'out/gates/plans';
const crashers = 'test/engine/crashers';
const corpus = 'out/gates/corpus/plan';
if (!existsSync(plans)) run(process.execPath, ['dist/test/compile/write-sample-plans.js', plans]);
rmSync(corpus, { recursive: true, force: true });
mkdirSync(corpus, { recursive: true });
for (const folder of [plans, crashers])
  for (const file of readdirSync(folder))
    if (statSync(join(folder, file)).size < MOST_BYTES) copyFileSync(join(folder, file), join(corpus, file));
const seeds = readdirSync(corpus).length;
if (seeds < 3) throw new Error(`only ${seeds} plans to begin with`);

const options = [
  `-max_total_time=${seconds}`,
  `-seed=${seed}`,
  `-max_len=${MOST_BYTES}`,
  '-len_control=0',
  '-timeout=10',
  '-rss_limit_mb=2048',
  '-print_final_stats=1',
  '-artifact_prefix=out/gates/',
];
const result = spawnSync('build/fuzz/fuzz_plan', [...options, corpus], { encoding: 'utf8', maxBuffer: 1 << 28 });
const runs = Number(/stat::number_of_executed_units:\s+(\d+)/.exec(result.stderr)?.[1] ?? 0);
const reached = /DONE\s+cov: (\d+)/.exec(result.stderr)?.[1] ?? 'unknown';
if (result.status !== 0) process.stderr.write(result.stderr.slice(-8000));
console.log(
  `fuzz plan: ${runs} executions from ${seeds} plans in ${seconds} s, seed ${seed}, coverage ${reached}, exit code ${result.status}`,
);
if (result.status === 0 && runs < LEAST_PER_SECOND * seconds) console.error('fuzz plan: too few executions');
if (result.status !== 0 || runs < LEAST_PER_SECOND * seconds) process.exit(1);

function option(name, otherwise) {
  const at = process.argv.indexOf(name);
  return at === -1 ? otherwise : Number(process.argv[at + 1]);
}

function run(command, args) {
  if (spawnSync(command, args, { stdio: 'inherit' }).status !== 0) process.exit(1);
}
