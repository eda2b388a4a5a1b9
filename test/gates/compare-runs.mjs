// Whole plans bit for bit: every tensor on every instruction set, thread count and rounding mode of this machine, then on x86 with
// AVX-512 emulated (so that no host leaves a row out) and on four ARM CPUs under qemu. Whatever cannot run is a failure.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { buildArm64, qemuCommand } from '../../deploy/build/qemu.mjs';

/** Options of compare_runs for machines that are slow: what they leave out runs on others. */
export const QUICK = ['--no-ref', '--quick'];
/**
 * Emulated CPUs, with those options. `max` has all ARM rows and runs in every way, the reference rows too; the others prove that no row
 * uses what they lack, and give the same lines.
 */
const ARM_CPUS = { 'cortex-a53': QUICK, 'cortex-a72': QUICK, 'cortex-a76': QUICK, max: [] };
/** Plans per process, and most minutes of one: many times what the slowest plan takes on an emulator. */
const [CHUNK, MINUTES] = [200, 90];

/**
 * Machines that run plans: this one, and those that stand for others. Builds what they run.
 * @returns {{ name: string, command: string[], isHost: boolean, options: string[] }[]} `options` of compare_runs
 */
export function machines() {
  const emulatesX86 = process.arch === 'x64';
  run(process.execPath, ['deploy/build/native.mjs', 'tools', ...(emulatesX86 ? ['simde'] : [])]);
  const arm = join(buildArm64(['compare_runs']), 'compare_runs');
  const host = join(`build/${process.platform}-${process.arch}`, 'compare_runs');
  return [
    { name: 'host', command: [host], isHost: true, options: [] },
    // Its reference rows are those of this machine.
    ...(emulatesX86
      ? [{ name: 'simde', command: ['build/simde/compare_runs'], isHost: false, options: ['--no-ref'] }]
      : []),
    ...Object.entries(ARM_CPUS).map(([name, options]) => {
      return { name, command: [...qemuCommand(name), arm], isHost: false, options };
    }),
  ];
}

/**
 * Runs plans on one machine.
 * @param {string[]} plans paths
 * @returns {{ lines: string[], ways: number, sets: string, seconds: number, faults: string[] }} a line of each plan that ran, `name
 * hash tensors`; in how many ways it ran, on instruction sets up to which
 */
export function runPlans({ name, command, options }, plans) {
  const start = performance.now();
  const { stdout, stderr, status, signal, error } = spawnSync(command[0], [...command.slice(1), ...options, ...plans], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    timeout: MINUTES * 60_000,
    killSignal: 'SIGKILL',
  });
  const printed = (stdout ?? '').split('\n').filter(Boolean);
  const faults = printed.filter((line) => line.startsWith('FAIL')).map((line) => `${name}: ${line}`);
  const lines = printed.filter((line) => !line.startsWith('FAIL'));
  const [, ways, sets] = /\d+ plans in (\d+) ways on (\S+):/.exec(stderr ?? '') ?? [];
  if (lines.length !== plans.length || ways === undefined)
    faults.push(
      `${name}: ${lines.length} of ${plans.length} plans ran: ${error?.message ?? signal ?? `exit code ${status}`} ${stderr}`,
    );
  else if (status !== 0 && faults.length === 0) faults.push(`${name}: exit code ${status} ${stderr}`);
  return { lines, ways: Number(ways ?? 0), sets: sets ?? '', seconds: (performance.now() - start) / 1000, faults };
}

/**
 * Runs plans on machines and compares the lines that each prints with those of the first.
 * @param {string[]} plans paths
 * @param on machines
 * @param runOn what runs plans on a machine
 * @returns {{ lines: string[], tensors: number, runs: Record<string, { ways: number, sets: string, seconds: number }>, faults: string[] }}
 * lines and tensors of the plans, how each machine ran them, and what differs
 */
export function compareRuns(plans, on, runOn = runPlans) {
  const faults = [];
  const lines = [];
  const runs = {};
  for (let first = 0; first < plans.length; first += CHUNK) {
    const part = plans.slice(first, first + CHUNK);
    let expected;
    for (const machine of on) {
      const { name } = machine;
      const found = runOn(machine, part);
      expected ??= found.lines;
      runs[name] = { ways: found.ways, sets: found.sets, seconds: (runs[name]?.seconds ?? 0) + found.seconds };
      faults.push(...found.faults);
      faults.push(
        ...found.lines.filter((line) => !expected.includes(line)).map((line) => `${name}: other bytes: ${line}`),
      );
    }
    lines.push(...(expected ?? []));
  }
  return { lines, tensors: lines.reduce((sum, line) => sum + tensorsOf(line), 0), runs, faults };
}

/** Tensors compared, by the line of a plan. */
export function tensorsOf(line) {
  return Number(line.split(' ').at(-1));
}

function run(command, args) {
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
