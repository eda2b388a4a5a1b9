// Runs ARM programs under qemu-user, one emulated CPU at a time.
//   node deploy/build/qemu.mjs check --cpu cortex-a53,cortex-a72,cortex-a76,max [-- ARGS of check_kernels]
//   node deploy/build/qemu.mjs run --cpu cortex-a76 PROGRAM [ARGS...]
// `check` builds check_kernels for arm64, runs every kernel row that the CPU has and fails when the best one was not checked.
// qemu is strict: an instruction that the CPU lacks ends the program, so this also proves the choice of rows.
// `haswellCommand` runs programs of this x86 machine on a CPU with AVX2 alone.
// Missing tools are a failure that names the packages.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { compareLinkedRows } from './linked-rows.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const COMPILER = 'aarch64-linux-gnu-g++';
const QEMU = 'qemu-aarch64';

const ARMV8 = 'fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid';
const ARMV82 = `${ARMV8.replace(' cpuid', '')} atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp`;

/**
 * The CPUs of the boards we stand for. `best` is the instruction set that must have been checked; `part` and `features`
 * describe the CPU in /proc/cpuinfo, from which libraries choose their kernels: they must match what qemu emulates.
 */
const CPUS = {
  'cortex-a53': { best: 'neon', part: '0xd03', features: ARMV8 },
  'cortex-a72': { best: 'neon', part: '0xd08', features: ARMV8 },
  'cortex-a76': { best: 'neon_dotprod', part: '0xd0b', features: ARMV82 },
  max: { best: 'neon_i8mm', part: '0xd0b', features: `${ARMV82} i8mm` },
};

/** Error with a message for the user, without a stack. */
class ToolError extends Error {}

/** Names of the Debian packages that are missing to build for and emulate ARM; empty when all is there. */
export function missingTools() {
  const has = (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
  return [
    !has(COMPILER) && 'g++-aarch64-linux-gnu',
    !has(QEMU) && 'qemu-user',
    !has('cmake') && 'cmake',
    !has('make') && !has('ninja') && 'make',
  ].filter(Boolean);
}

function requireTools() {
  const missing = missingTools();
  if (missing.length > 0)
    throw new ToolError(`ARM kernels cannot be checked; install: apt-get install ${missing.join(' ')}`);
}

function cpuOf(name) {
  const cpu = CPUS[name];
  if (cpu === undefined) throw new ToolError(`unknown CPU "${name}"; known: ${Object.keys(CPUS).join(', ')}`);
  return cpu;
}

/** One core of a board's /proc/cpuinfo. */
function cpuinfoCore(index, cpu) {
  const fields = {
    processor: index,
    BogoMIPS: '108.00',
    Features: cpu.features,
    'CPU implementer': '0x41',
    'CPU architecture': '8',
    'CPU variant': '0x1',
    'CPU part': cpu.part,
    'CPU revision': '0',
  };
  return `${Object.entries(fields)
    .map(([key, value]) => `${key}\t: ${value}`)
    .join('\n')}\n`;
}

/**
 * The root folder of an emulated CPU, made when it is missing: the C library of the cross compiler and a /proc/cpuinfo
 * that fits the CPU (libraries that read the host's fail or pick kernels of another CPU).
 */
export function sysroot(name) {
  const cpu = cpuOf(name);
  const folder = join(root, 'build/sysroot', name);
  mkdirSync(join(folder, 'proc'), { recursive: true });
  const libc = execFileSync(COMPILER, ['-print-file-name=libc.so.6'], { encoding: 'utf8' }).trim();
  const library = dirname(realpathSync(libc));
  replaceLink(join(folder, 'lib'), library);
  replaceLink(join(folder, 'lib64'), library);
  replaceFile(join(folder, 'proc/cpuinfo'), [0, 1, 2, 3].map((index) => cpuinfoCore(index, cpu)).join('\n'));
  return folder;
}

/** Replacement is atomic: several runs may share the folder. */
function replaceLink(path, target) {
  if (existsSync(path) && readlinkSync(path) === target) return;
  const next = `${path}.${process.pid}`;
  rmSync(next, { force: true });
  symlinkSync(target, next);
  renameSync(next, path);
}

function replaceFile(path, text) {
  const next = `${path}.${process.pid}`;
  writeFileSync(next, text);
  renameSync(next, path);
}

/** Command and first arguments that run an ARM program on this CPU: append the program and its arguments. */
export function qemuCommand(name) {
  cpuOf(name);
  requireTools();
  return [QEMU, '-L', sysroot(name), '-cpu', name];
}

/** /proc/cpuinfo of one core with AVX2 and no 8-bit dot products. */
const HASWELL_CORE = `processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Haswell (emulated)
flags\t\t: fpu sse sse2 ssse3 fma cx16 sse4_1 sse4_2 movbe popcnt aes xsave avx f16c rdrand bmi1 avx2 bmi2
`;

/**
 * Command and first arguments that run an x86-64 program of this machine on a CPU with AVX2 alone: append the program and its
 * arguments. Its stderr holds lines with `warning: TCG`, about features that do not matter here.
 */
export function haswellCommand() {
  const qemu = 'qemu-x86_64';
  if (process.arch !== 'x64') throw new ToolError(`the emulated Haswell runs programs of x64, this is ${process.arch}`);
  if (spawnSync(qemu, ['--version'], { stdio: 'ignore' }).status !== 0)
    throw new ToolError(`${qemu} is missing; install: apt-get install qemu-user`);
  // Paths that exist in this folder are read there; all others are those of the machine.
  const folder = join(root, 'build/sysroot/haswell');
  mkdirSync(join(folder, 'proc'), { recursive: true });
  replaceFile(join(folder, 'proc/cpuinfo'), HASWELL_CORE);
  return [qemu, '-L', folder, '-cpu', 'Haswell'];
}

/** Builds targets of the arm64 preset; returns the build folder. The addon is left out when its headers are missing. */
export function buildArm64(targets) {
  requireTools();
  const addon = ['node-api-headers', 'node-addon-api'].every((name) => existsSync(join(root, 'node_modules', name)));
  step('configuration', 'cmake', ['--preset', 'arm64', `-DHONE_ADDON=${addon ? 'ON' : 'OFF'}`]);
  step('build', 'cmake', [
    '--build',
    '--preset',
    'arm64',
    '--parallel',
    String(availableParallelism()),
    '--target',
    ...targets,
  ]);
  return join(root, 'build/arm64');
}

/** Runs a command in the repository; its output appears only when it fails. */
function step(what, command, args) {
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (result.status === 0) return;
  process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}`);
  throw new ToolError(`${what} for arm64 failed: ${result.error?.message ?? `exit code ${result.status}`}`);
}

/** How the program ended, in words; empty when well. */
function describeEnd(result) {
  if (result.error) return result.error.message;
  if (result.status === 132 || result.signal === 'SIGILL') return 'it ran an instruction that the CPU lacks (SIGILL)';
  if (result.signal) return `signal ${result.signal}`;
  return result.status === 0 ? '' : `exit code ${result.status}`;
}

function check(names, extra) {
  const program = join(buildArm64(['check_kernels']), 'check_kernels');
  let failed = 0;
  const [first, ...before] = qemuCommand(names[0]);
  console.log(
    `${compareLinkedRows(first, [...before, program], 'arm64')} rows are linked, as native/sources.json says`,
  );
  for (const name of names) {
    const [command, ...args] = qemuCommand(name);
    const { best } = cpuOf(name);
    const start = performance.now();
    const result = spawnSync(command, [...args, program, `--require=${best}`, ...extra], {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    const problem = describeEnd(result);
    const last = (result.stdout ?? '').trimEnd().split('\n').at(-1);
    if (problem !== '') {
      failed++;
      process.stdout.write(`${result.stdout ?? ''}${result.stderr ?? ''}`);
    }
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    console.log(
      `${problem === '' ? 'ok  ' : 'FAIL'} ${name.padEnd(11)} ${best.padEnd(13)} ${seconds.padStart(4)} s  ${problem === '' ? last : problem}`,
    );
  }
  return failed === 0 ? 0 : 1;
}

function main([verb, ...rest]) {
  const at = rest.indexOf('--cpu');
  const names = at === -1 ? [] : (rest[at + 1] ?? '').split(',').filter(Boolean);
  const others = at === -1 ? rest : [...rest.slice(0, at), ...rest.slice(at + 2)];
  for (const name of names) cpuOf(name);
  if (verb === 'check' && names.length > 0 && (others.length === 0 || others[0] === '--'))
    return check(names, others.slice(1));
  if (verb === 'run' && names.length === 1 && others.length > 0) {
    const [command, ...args] = qemuCommand(names[0]);
    const result = spawnSync(command, [...args, ...others], { stdio: 'inherit' });
    return result.status ?? 1;
  }
  console.error(
    `usage: qemu.mjs check --cpu NAME[,NAME..] [-- ARGS]  |  qemu.mjs run --cpu NAME PROGRAM [ARGS..]\nCPUs: ${Object.keys(CPUS).join(', ')}`,
  );
  return 2;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    process.exitCode = main(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    console.error(`qemu: ${error.message}`);
    process.exitCode = 1;
  }
}
