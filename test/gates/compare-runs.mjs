// Whole plans bit for bit: every tensor on every instruction set, thread count and rounding mode of this machine, then on x86 with
// AVX-512 emulated (so that no host leaves a row out) and on four ARM CPUs under qemu. Whatever cannot run is a failure.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { buildArm64, qemuCommand } from '../../deploy/build/qemu.mjs';

const ARM_CPUS = ['cortex-a53', 'cortex-a72', 'cortex-a76', 'max'];
/** Plans per process. */
const CHUNK = 200;

/**
 * Machines that run plans: this one, and those that stand for others. Builds what they run.
 * @returns {{ name: string, command: string[], isHost: boolean }[]}
 */
export function machines() {
  const emulatesX86 = process.arch === 'x64';
  run(process.execPath, ['deploy/build/native.mjs', 'tools', ...(emulatesX86 ? ['simde'] : [])]);
  const arm = join(buildArm64(['compare_runs']), 'compare_runs');
  const host = join(`build/${process.platform}-${process.arch}`, 'compare_runs');
  return [
    { name: 'host', command: [host], isHost: true },
    ...(emulatesX86 ? [{ name: 'simde', command: ['build/simde/compare_runs'], isHost: false }] : []),
    ...ARM_CPUS.map((name) => ({ name, command: [...qemuCommand(name), arm], isHost: false })),
  ];
}

/**
 * Runs plans on machines and compares the lines that each prints.
 * @param {string[]} plans paths
 * @returns {{ tensors: number, faults: string[] }} tensors of the plans, and what differs
 */
export function compareRuns(plans, on) {
  const faults = [];
  let tensors = 0;
  for (let first = 0; first < plans.length; first += CHUNK) {
    const part = plans.slice(first, first + CHUNK);
    let expected;
    for (const { name, command, isHost } of on) {
      const args = [...command.slice(1), ...(isHost ? [] : ['--quick']), ...part];
      const { stdout, stderr, status, signal, error } = spawnSync(command[0], args, {
        encoding: 'utf8',
        maxBuffer: 1 << 28,
      });
      const lines = (stdout ?? '').split('\n').filter(Boolean);
      faults.push(...lines.filter((line) => line.startsWith('FAIL')).map((line) => `${name}: ${line}`));
      const found = lines.filter((line) => !line.startsWith('FAIL'));
      if (found.length !== part.length)
        faults.push(
          `${name}: ${found.length} of ${part.length} plans ran: ${error?.message ?? signal ?? status} ${stderr}`,
        );
      expected ??= found;
      faults.push(...found.filter((line) => !expected.includes(line)).map((line) => `${name}: other bytes: ${line}`));
    }
    tensors += (expected ?? []).reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }
  return { tensors, faults };
}

function run(command, args) {
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
