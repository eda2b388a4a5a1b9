// Fuzzes the plan loader with libFuzzer:  node test/gates/fuzz.mjs plan [--seconds N]
// The corpus begins with the sample plans and is kept in out/gates/corpus between runs.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const at = process.argv.indexOf('--seconds');
const seconds = at === -1 ? 20 : Number(process.argv[at + 1]);
if (process.argv[2] !== 'plan' || !(seconds > 0)) throw new Error('usage: fuzz.mjs plan [--seconds N]');

run(process.execPath, ['deploy/build/native.mjs', 'fuzz']);
const plans = 'out/gates/plans';
const corpus = 'out/gates/corpus/plan';
if (!existsSync(plans)) run(process.execPath, ['dist/test/compile/write-sample-plans.js', plans]);
mkdirSync(corpus, { recursive: true });
for (const file of readdirSync(plans)) copyFileSync(join(plans, file), join(corpus, file));

const options = [
  `-max_total_time=${seconds}`,
  '-timeout=10',
  '-rss_limit_mb=2048',
  '-print_final_stats=1',
  '-artifact_prefix=out/gates/',
];
const result = spawnSync('build/fuzz/fuzz_plan', [...options, corpus], { encoding: 'utf8', maxBuffer: 1 << 28 });
const runs = Number(/stat::number_of_executed_units:\s+(\d+)/.exec(result.stderr)?.[1] ?? 0);
if (result.status !== 0) process.stderr.write(result.stderr.slice(-8000));
console.log(`fuzz plan: ${runs} executions in ${seconds} s, exit code ${result.status}`);
if (result.status !== 0 || runs < 1000) process.exit(1);

function run(command, args) {
  if (spawnSync(command, args, { stdio: 'inherit' }).status !== 0) process.exit(1);
}
