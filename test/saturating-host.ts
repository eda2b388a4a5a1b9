import { existsSync, readFileSync } from 'node:fs';
import { describeCpu } from '../lib/engine/session';

/** Whether this CPU is known to saturate in onnxruntime's uint8 x int8 kernels: x86 without 8-bit dot products. */
export const SATURATING_HOST: boolean =
  process.arch === 'x64' &&
  !describeCpu().includes('vnni') &&
  !(existsSync('/proc/cpuinfo') && readFileSync('/proc/cpuinfo', 'utf8').includes(' avx_vnni'));

/** `describe` on such a host, else `describe.skip`; the gate `haswell` emulates one. */
export function describeOnSaturatingHost(name: string, tests: () => void): void {
  (SATURATING_HOST ? describe : describe.skip)(name, tests);
}
