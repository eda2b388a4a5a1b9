// Brings a fresh clone to the state that the npm scripts need, then runs one script: packages, native addon, compiled TypeScript.
//   node deploy/build/setup.mjs [--then SCRIPT [ARGS...]]
// Every step is skipped when it is up to date. Needs Node >= 20.15, a C++20 compiler and cmake; says plainly what is missing.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const quiet = process.env.HONE_SETUP_VERBOSE !== '1';

function fail(message) {
  console.error(`setup: ${message}`);
  process.exit(1);
}

/** Runs a command in the repository and says so; shows its output only when it fails. */
function step(what, command, args) {
  const start = performance.now();
  console.error(`setup: ${what} ...`);
  const result = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: quiet ? 'pipe' : 'inherit',
    maxBuffer: 1 << 28,
  });
  if (result.error || result.status !== 0) {
    if (quiet) process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}`);
    fail(`${what} failed (${command} ${args.join(' ')}): ${result.error?.message ?? `exit code ${result.status}`}`);
  }
  const seconds = (performance.now() - start) / 1000;
  if (seconds > 2) console.error(`setup: ${what} took ${seconds.toFixed(0)} s`);
}

function has(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 15)) fail(`Node 20.15 or newer is needed, this is ${process.version}`);
const compiler = process.env.CXX ?? (has('c++') ? 'c++' : 'g++');
const missing = [!has(compiler) && 'a C++20 compiler (Debian: g++)', !has('cmake') && 'cmake (Debian: cmake)'].filter(
  Boolean,
);
if (!has('ninja') && !has('make')) missing.push('make or ninja (Debian: make)');
if (missing.length > 0) fail(`missing: ${missing.join(', ')}`);

const lock = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');
const stamp = join(root, 'node_modules/.hone-setup');
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
  step('packages (npm ci)', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(stamp, lock);
}
step('native build', process.execPath, ['deploy/build/native.mjs', 'host']);
step('TypeScript build', process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json']);
step("the agent's one file", process.execPath, ['deploy/build/agent.mjs']);

const then = process.argv.indexOf('--then');
if (then !== -1) {
  const result = spawnSync(process.execPath, process.argv.slice(then + 1), { cwd: root, stdio: 'inherit' });
  process.exit(result.status ?? 1);
}
