import { type Measured, readText, type SysRoot } from './read-file';
import type { SensorSource } from './sensor-source';

/** Share of the last ten seconds in which some task waited for a CPU (pressure stall information), 0..1. */
export const pressureSource: SensorSource = {
  id: 'pressure',
  quantity: 'pressure',
  what: 'share of the last 10 s in which some task waited for a CPU',
  files: '/proc/pressure/cpu',
  names: 'pressure.cpu',
  unit: 'ratio',
  kind: 'gauge',
  interval: '2 s',
  absent: 'the kernel has no pressure stall information, or the unit hides it (ProcSubset=pid)',
  find: ({ root }) =>
    readText(root, 'proc/pressure/cpu') === undefined
      ? []
      : [
          {
            name: 'pressure.cpu',
            unit: 'ratio',
            kind: 'gauge',
            source: '/proc/pressure/cpu some avg10',
            read: () => readPressure(root),
          },
        ],
};

function readPressure(root: SysRoot): Measured {
  const match = /^some avg10=(\d+(?:\.\d+)?)/m.exec(readText(root, 'proc/pressure/cpu') ?? '');
  if (match === null) return { reason: '/proc/pressure/cpu has no line "some avg10=..."' };
  return Number((Number(match[1]) / 100).toFixed(4));
}
