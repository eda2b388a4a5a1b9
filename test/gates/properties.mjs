// Runs every test file that holds properties with a seed of its own and ten times the cases:
//   node test/gates/properties.mjs [--seed N]
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const at = process.argv.indexOf('--seed');
const seed = at === -1 ? Math.floor(Math.random() * 2 ** 31) : Number(process.argv[at + 1]);
const files = readdirSync('test', { recursive: true })
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => join('test', file))
  .filter((file) => readFileSync(file, 'utf8').includes("from 'fast-check'"));
if (files.length === 0) throw new Error('no test file imports fast-check');
console.log(`properties of ${files.length} files, seed ${seed}`);
const env = { ...process.env, HONE_PROPERTY_SEED: String(seed), HONE_PROPERTY_RUNS: '1000' };
const { status } = spawnSync(process.execPath, ['node_modules/jest/bin/jest.js', ...files], { stdio: 'inherit', env });
process.exit(status ?? 1);
