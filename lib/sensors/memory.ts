import type { Reading } from '../telemetry/sample';
import { readText, type SysRoot } from './read-file';

/** Resident memory of this process now and at its peak, from /proc/self/status (VmRSS, VmHWM). */
export function readMemory(root: SysRoot): Reading[] {
  const status = readText(root, 'proc/self/status');
  return [field(status, 'memory.rss', 'VmRSS'), field(status, 'memory.peak-rss', 'VmHWM')];
}

function field(status: string | undefined, name: string, key: string): Reading {
  const source = `/proc/self/status ${key}`;
  const match = status === undefined ? null : new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status);
  if (match === null)
    return { name, unit: 'bytes', kind: 'gauge', source, value: null, reason: 'the kernel does not report it' };
  return { name, unit: 'bytes', kind: 'gauge', source, value: Number(match[1]) * 1024 };
}
