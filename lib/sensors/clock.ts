import { randomUUID } from 'node:crypto';
import type { Stamp } from '../telemetry/sample';
import { readText, type SysRoot } from './read-file';

/** Source of time stamps; tests give their own. */
export interface Clock {
  now(): Stamp;
}

/** Clock of this machine: boot id, nanoseconds since boot, wall time. */
export function systemClock(root: SysRoot = '/'): Clock {
  const bootId = readText(root, 'proc/sys/kernel/random/boot_id') ?? randomUUID();
  return {
    now: () => ({ bootId, monotonicNs: Number(process.hrtime.bigint()), wallMs: Date.now() }),
  };
}
