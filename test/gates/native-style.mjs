// clang-format over every C++ file and clang-tidy over every file that the host compiles; with --analyzer the
// checks of clang's static analyzer alone, which take twice as long as all others together.
//   node test/gates/native-style.mjs [--fix | --analyzer]
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';

const files = readdirSync('native', { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.(c|cc|h)$/.test(path))
  .map((path) => join('native', path))
  .sort();
if (files.length < 50) throw new Error(`only ${files.length} C++ files found: run this in the root of the repository`);

const fix = process.argv.includes('--fix');
const format = spawnSync('clang-format-19', [...(fix ? ['-i'] : ['--dry-run', '-Werror']), ...files], {
  stdio: 'inherit',
});
if (format.error) fail('clang-format-19 is missing (Debian: clang-format-19)');
if (format.status !== 0) fail('clang-format found differences: npm run format');
console.log(`clang-format: ${files.length} files`);
if (fix) process.exit(0);

// Appended to the list of .clang-tidy.
const checks = process.argv.includes('--analyzer')
  ? '-bugprone-*,-performance-*,-readability-*,-misc-*,-modernize-*'
  : '-clang-analyzer-*';
const build = 'build/tidy';
const configure = ['-S', '.', '-B', build, '-DCMAKE_EXPORT_COMPILE_COMMANDS=ON', '-DCMAKE_CXX_COMPILER=clang++-19'];
if (spawnSync('cmake', configure, { stdio: ['ignore', 'ignore', 'inherit'] }).status !== 0)
  fail('cmake could not configure with clang++-19');
const compiled = JSON.parse(readFileSync(join(build, 'compile_commands.json'), 'utf8')).map(({ file }) => file);
let failed = 0;
let next = 0;
await Promise.all(
  cpus().map(async () => {
    while (next < compiled.length) {
      const findings = await tidy(compiled[next++]);
      failed += findings;
    }
  }),
);
console.log(`clang-tidy: ${compiled.length} files, ${failed} with findings`);
if (failed > 0 || compiled.length < 50) process.exit(1);

function tidy(file) {
  return new Promise((resolve) => {
    const child = spawn('clang-tidy-19', ['-p', build, '--quiet', `--checks=${checks}`, file], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (data) => (output += data));
    child.on('error', () => fail('clang-tidy-19 is missing (Debian: clang-tidy-19)'));
    child.on('close', (code) => {
      if (code !== 0) console.log(output);
      resolve(code === 0 ? 0 : 1);
    });
  });
}

function fail(message) {
  console.error(`native-style: ${message}`);
  process.exit(1);
}
