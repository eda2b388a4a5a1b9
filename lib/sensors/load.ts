import type { Reading } from '../telemetry/sample';
import { readText, type SysRoot } from './read-file';

/** Share of the last ten seconds in which some task waited for a CPU (pressure stall information), 0..1. */
export function readCpuPressure(root: SysRoot): Reading {
  const name = 'pressure.cpu';
  const source = '/proc/pressure/cpu some avg10';
  const match = /^some avg10=([\d.]+)/m.exec(readText(root, 'proc/pressure/cpu') ?? '');
  return match === null
    ? {
        name,
        unit: 'ratio',
        kind: 'gauge',
        source,
        value: null,
        reason: 'the kernel has no pressure stall information',
      }
    : { name, unit: 'ratio', kind: 'gauge', source, value: Number((Number(match[1]) / 100).toFixed(4)) };
}
