import type { Reading } from '../telemetry/sample';
import { listFolder, readNumber, type SysRoot } from './read-file';

const CPUS = 'sys/devices/system/cpu';

/** Current clock of every CPU core in hertz, from cpufreq; one null reading with the reason when there is none. */
export function readFrequency(root: SysRoot): Reading[] {
  const cores = listFolder(root, CPUS).filter((name) => /^cpu\d+$/.test(name));
  const readings = cores.flatMap((core): Reading[] => {
    const path = `${CPUS}/${core}/cpufreq/scaling_cur_freq`;
    const kilohertz = readNumber(root, path);
    return kilohertz === undefined
      ? []
      : [{ name: `frequency.${core}`, unit: 'hertz', kind: 'gauge', source: `/${path}`, value: kilohertz * 1000 }];
  });
  if (readings.length > 0) return readings;
  const reason = 'no cpufreq driver (virtual machines usually have none)';
  return [{ name: 'frequency', unit: 'hertz', kind: 'gauge', source: `/${CPUS}`, value: null, reason }];
}
