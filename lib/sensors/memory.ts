import { type Measured, readText, type SysRoot } from './read-file';
import type { Probe, SensorSource } from './sensor-source';

const FIELDS = { 'memory.process-rss': 'VmRSS', 'memory.process-peak-rss': 'VmHWM' } as const;

/** Resident memory of the process that reads it, now and at its peak; an agent has more than one. */
export const memorySource: SensorSource = {
  id: 'memory',
  quantity: 'memory',
  what: 'resident memory of the process that reads it (of an agent: the front alone), now and at its peak',
  files: '/proc/self/status',
  names: Object.keys(FIELDS).join(', '),
  unit: 'bytes',
  kind: 'gauge',
  interval: 'every read',
  absent: 'the kernel does not report it',
  find: ({ root }) =>
    readText(root, 'proc/self/status') === undefined
      ? []
      : Object.entries(FIELDS).map(
          ([name, field]): Probe => ({
            name,
            unit: 'bytes',
            kind: 'gauge',
            source: `/proc/self/status ${field}`,
            read: () => readMemory(root, field),
          }),
        ),
};

/** Bytes of a field of /proc/self/status, such as VmRSS. */
export function readMemory(root: SysRoot, field: (typeof FIELDS)[keyof typeof FIELDS]): Measured {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readText(root, 'proc/self/status') ?? '');
  if (match === null) return { reason: `/proc/self/status has no ${field}` };
  return Number(match[1]) * 1024;
}
