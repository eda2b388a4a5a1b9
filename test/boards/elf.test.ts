import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type ElfProgram, readElf, stripElf } from '../../lib/boards/elf';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hone-elf-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SOURCE =
  '#include <cmath>\n#include <iostream>\nint main(int c, char**) { std::cout << std::cbrt(c * 27.0) << "\\n"; }\n';
const COMPILERS = [
  ['g++', [], []],
  ['aarch64-linux-gnu-g++', ['qemu-aarch64', '-L', '/usr/aarch64-linux-gnu'], []],
  ['g++', [], ['-no-pie']],
].filter(([compiler]) => spawnSync(compiler as string, ['--version']).status === 0) as [string, string[], string[]][];

/** A small program with its names for debuggers. */
function compiled(compiler: string, flags: readonly string[] = []): Buffer {
  const path = join(folder, 'program');
  execFileSync(compiler, ['-g', '-xc++', '-', '-o', path, '-lm', ...flags], { input: SOURCE });
  return readFileSync(path);
}

test.each(COMPILERS)(
  '%s: libraries and versions are those that readelf shows; stripped, it runs (%j %j)',
  (compiler, runner, flags) => {
    const bytes = compiled(compiler, flags);
    const elf = readElf(bytes)!;
    const shown = execFileSync('readelf', ['-dVW', join(folder, 'program')], { encoding: 'latin1' });
    const names = [...shown.matchAll(/NEEDED.*\[(.*)\]/g)].map(([, name]) => name);
    expect(elf.needed).toEqual(names);
    expect(elf.needed).toContain('libstdc++.so.6');
    const versions = [...shown.matchAll(/Name: GLIBCXX_([\d.]+)/g)].map(([, version]) => version);
    const sorted = versions.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
    expect(elf.versions.get('GLIBCXX')).toBe(sorted.at(-1));
    expect(elf.versions.get('GLIBC')).toMatch(/^2\.\d+$/);
    expect(elf.machine).toBe(
      compiler.startsWith('aarch64') ? 'aarch64' : { x64: 'x86_64', arm64: 'aarch64' }[process.arch as string],
    );
    const stripped = stripElf(bytes, elf);
    expect(stripped.length).toBeLessThan(bytes.length);
    const path = join(folder, 'stripped');
    writeFileSync(path, stripped);
    chmodSync(path, 0o755);
    if (runner.length === 0 || spawnSync(runner[0], ['--version']).status === 0)
      expect(execFileSync([...runner, path][0], [...runner, path].slice(1), { encoding: 'utf8' })).toBe('3\n');
    expect(readElf(stripped)).toEqual(elf);
  },
);

test('a compiler was there to try it', () => expect(COMPILERS.length).toBeGreaterThan(0));

test('Node itself, stripped, runs', () => {
  const bytes = readFileSync(process.execPath);
  const elf = readElf(bytes)!;
  const path = join(folder, 'node');
  writeFileSync(path, stripElf(bytes, elf), { mode: 0o755 });
  expect(execFileSync(path, ['-p', 'process.version'], { encoding: 'utf8' })).toBe(`${process.version}\n`);
  rmSync(path);
});

test.each([
  ['nothing', Buffer.alloc(0)],
  ['a script', Buffer.from('#!/bin/sh\n'.repeat(20))],
  ['zeros', Buffer.alloc(4096)],
])('%s is no program', (_, bytes) => expect(readElf(bytes)).toBeUndefined());

test('bytes of a stranger: each field broken, each cut: a program or none, soon, and nothing thrown', () => {
  const small = existsSync('/bin/true') ? readFileSync('/bin/true') : compiled('g++');
  let none = 0;
  const check = (bytes: Buffer) => {
    const elf: ElfProgram | undefined = readElf(bytes);
    if (elf === undefined) none++;
    else {
      expect(elf.loadedBytes).toBeLessThanOrEqual(bytes.length);
      for (const name of elf.needed) expect(name.length).toBeLessThan(200);
      expect(stripElf(bytes, elf).length).toBe(elf.loadedBytes);
    }
  };
  const change = fc.record({
    at: fc.nat(small.length - 8),
    wide: fc.constantFrom(1, 2, 4, 8),
    value: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  });
  const early = change.map(({ at, ...rest }) => ({ ...rest, at: at % 1024 }));
  fc.assert(
    fc.property(
      fc.array(fc.oneof(early, change), { minLength: 1, maxLength: 6 }),
      fc.option(fc.nat(small.length)),
      (changes, cut) => {
        const bytes = Buffer.from(small);
        for (const { at, wide, value } of changes) {
          const word = Buffer.alloc(8);
          word.writeBigUInt64LE(value);
          word.copy(bytes, at, 0, wide);
        }
        check(cut === null ? bytes : bytes.subarray(0, cut));
      },
    ),
    { numRuns: 1500 },
  );
  expect(none).toBeGreaterThan(100);
});
