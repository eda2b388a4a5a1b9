// Builds the native code:  node deploy/build/native.mjs TARGET...
// One line per build; the log of a build is shown only when it fails. Says plainly what is missing.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, statSync, symlinkSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const host = `build/${process.platform}-${process.arch}`;
/** Newest symbol versions that an addon for others may need: Ubuntu 20.04, Debian 10 and newer run it. */
const FLOOR = { GLIBC: [2, 28], GLIBCXX: [3, 4, 25] };
/** The platforms whose files the package carries, with what strips them, and the most bytes that one may take. */
const PREBUILDS = { 'linux-x64': 'strip', 'linux-arm64': 'aarch64-linux-gnu-strip' };
const PREBUILD_BYTES = 5e6;
/** What a platform has: the addon and the C API. */
const FILES = ['hone.node', 'libhone.so'];

const TARGETS = {
  host: { what: `addon and C API for this machine -> ${host}/Release/{${FILES.join(',')}}`, build: addon },
  tools: { what: `run_plan, check_kernels, stress_engine -> ${host}`, build: tools },
  arm64: {
    what: `addon and C API -> build/linux-arm64/Release/{${FILES.join(',')}}, tools -> build/arm64`,
    needs: ['aarch64-linux-gnu-g++', 'aarch64-linux-gnu-readelf'],
    build: () => preset('arm64') ?? first(FILES, (file) => checkFloor(join('build/linux-arm64/Release', file))),
  },
  prebuilds: {
    what: `stripped files of the package -> prebuilds/{${Object.keys(PREBUILDS).join(',')}}/{${FILES.join(',')}}`,
    needs: ['aarch64-linux-gnu-g++', 'aarch64-linux-gnu-readelf', 'aarch64-linux-gnu-strip', 'strip'],
    build: prebuilds,
  },
  asan: { what: 'tools with address and undefined-behaviour sanitizers -> build/asan', build: () => preset('asan') },
  tsan: { what: 'tools with the thread sanitizer -> build/tsan', build: () => preset('tsan') },
  simde: { what: 'tools with AVX-512 emulated on AVX2 by SIMDe -> build/simde', build: simde },
  fuzz: { what: 'fuzz_plan -> build/fuzz', needs: ['clang++-19'], build: () => preset('fuzz') },
  gyp: { what: 'addon by node-gyp -> out/gyp/build/Release/hone.node', build: gyp },
};

const PACKAGES = {
  cmake: 'cmake',
  'c++': 'g++',
  'aarch64-linux-gnu-g++': 'g++-aarch64-linux-gnu',
  'aarch64-linux-gnu-readelf': 'binutils-aarch64-linux-gnu',
  'aarch64-linux-gnu-strip': 'binutils-aarch64-linux-gnu',
  strip: 'binutils',
  'clang++-19': 'clang-19',
};

const names = process.argv.slice(2);
if (names.length === 0 || names.some((name) => !(name in TARGETS))) {
  console.error('usage: node deploy/build/native.mjs TARGET...\n');
  for (const [name, { what }] of Object.entries(TARGETS)) console.error(`  ${name.padEnd(9)} ${what}`);
  process.exit(2);
}
for (const name of names) {
  const { what, needs = [], build } = TARGETS[name];
  const missing = ['cmake', ...needs].filter(
    (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status !== 0,
  );
  if (missing.length > 0)
    fail(name, `missing: ${missing.map((command) => `${command} (Debian: ${PACKAGES[command]})`).join(', ')}`);
  const start = performance.now();
  const fault = build();
  if (fault) fail(name, fault);
  console.log(`native: ${name}: ${what} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
}

function fail(name, reason) {
  console.error(`native: ${name}: ${reason}`);
  process.exit(1);
}

/** Runs a command; returns its log when it fails, else undefined. */
function attempt(command, args, cwd = root) {
  const result = spawnSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (!result.error && result.status === 0) return undefined;
  const reason = result.error?.message ?? `exit code ${result.status}`;
  return `${command} ${args.join(' ')}: ${reason}\n${result.stdout ?? ''}${result.stderr ?? ''}`;
}

/** One tree serves addon and tools, so that kernels are compiled once. cmake-js configures it for Node. */
function addon() {
  const tool = join(root, 'node_modules/cmake-js/bin/cmake-js');
  return attempt(process.execPath, [tool, 'compile', '-O', host, '--CDHONE_ADDON_ONLY=ON']);
}

/** cmake-js does not configure a tree again, so the tools are asked for by cmake itself. */
function tools() {
  const jobs = String(availableParallelism());
  const configured = existsSync(join(root, host, 'CMakeCache.txt')) ? undefined : addon();
  return (
    configured ?? attempt('cmake', ['-DHONE_ADDON_ONLY=OFF', host]) ?? attempt('cmake', ['--build', host, '-j', jobs])
  );
}

function preset(name) {
  const jobs = String(availableParallelism());
  return attempt('cmake', ['--preset', name]) ?? attempt('cmake', ['--build', '--preset', name, '-j', jobs]);
}

/** CMake finds the headers; their absence is told by the package that brings them. */
function simde() {
  const fault = preset('simde');
  return fault?.includes('SIMDE_FOLDER') ? 'missing: simde/x86/avx512.h (Debian: libsimde-dev)' : fault;
}

/** node-gyp clears its own build folder, so it works in out/gyp on links to the sources. */
function gyp() {
  const folder = join(root, 'out/gyp');
  mkdirSync(folder, { recursive: true });
  for (const entry of ['binding.gyp', 'package.json', 'native', 'node_modules'])
    if (!existsSync(join(folder, entry))) symlinkSync(join(root, entry), join(folder, entry));
  const jobs = String(availableParallelism());
  const tool = join(root, 'node_modules/node-gyp/bin/node-gyp.js');
  // Node brings its own headers when it was unpacked from an archive; else node-gyp downloads them.
  const prefix = join(dirname(process.execPath), '..');
  const headers = existsSync(join(prefix, 'include/node/common.gypi')) ? [`--nodedir=${prefix}`] : [];
  return attempt(process.execPath, [tool, 'configure', 'build', '--jobs', jobs, ...headers], folder);
}

/** Builds what the package carries; a package for others is made on Linux and x64 only. */
function prebuilds() {
  if (!(`${process.platform}-${process.arch}` in PREBUILDS) || process.arch !== 'x64')
    return `prebuilds are made on linux-x64, this is ${process.platform}-${process.arch}`;
  let fault = addon() ?? preset('arm64');
  for (const [target, strip] of Object.entries(PREBUILDS)) fault ??= first(FILES, (file) => place(target, file, strip));
  return fault;
}

/** The first fault that `build` finds with an item. */
function first(items, build) {
  return items.reduce((fault, item) => fault ?? build(item), undefined);
}

/** Puts a stripped file of `target` into prebuilds/; a fault when it is too large or asks for too new a system. */
function place(target, file, strip) {
  const path = join('prebuilds', target, file);
  // Under another name first: a library that a process has loaded must not change.
  const fresh = `${path}.new`;
  mkdirSync(join(root, 'prebuilds', target), { recursive: true });
  const fault =
    attempt(strip, ['--strip-unneeded', '-o', fresh, join('build', target, 'Release', file)]) ?? checkFloor(fresh);
  if (fault) return fault;
  const { size } = statSync(join(root, fresh));
  if (size > PREBUILD_BYTES) return `${path} takes ${size} bytes, more than ${PREBUILD_BYTES}`;
  renameSync(join(root, fresh), join(root, path));
  return undefined;
}

/** A fault when the file needs a newer C or C++ library than FLOOR. */
function checkFloor(path) {
  const { stdout } = spawnSync('aarch64-linux-gnu-readelf', ['-VW', path], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const found = [...(stdout ?? '').matchAll(/Name: (GLIBC|GLIBCXX)_([\d.]+)/g)];
  if (found.length === 0) return `${path}: no version of a C library found`;
  const newer = found.filter(([, library, version]) => compare(version.split('.').map(Number), FLOOR[library]) > 0);
  if (newer.length === 0) return undefined;
  return `${path} needs ${newer.map(([, library, version]) => `${library}_${version}`).join(', ')}, newer than the oldest systems have`;
}

function compare(a, b) {
  const at = a.findIndex((part, i) => part !== (b[i] ?? 0));
  return at === -1 ? 0 : a[at] - (b[at] ?? 0);
}
