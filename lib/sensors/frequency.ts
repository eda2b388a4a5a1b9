import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { listFolder, readValue } from './read-file';
import type { Probe, SensorSource } from './sensor-source';

const CPUS = 'sys/devices/system/cpu';
const RANGE = [1e6, 1e10] as const;

/** Current clock of every CPU core. */
export const frequencySource: SensorSource = {
  id: 'frequency',
  quantity: 'frequency',
  what: 'clock of every CPU core',
  files: '/sys/devices/system/cpu/cpu*/cpufreq/scaling_cur_freq',
  names: '`frequency.cpu<n>`',
  unit: 'hertz',
  kind: 'gauge',
  interval: 'about 10 ms, by governor',
  absent: 'no cpufreq driver (virtual machines usually have none)',
  find: ({ root }) =>
    listFolder(root, CPUS)
      .filter((name) => /^cpu\d+$/.test(name))
      .flatMap((core): Probe[] => {
        const path = `${CPUS}/${core}/cpufreq/scaling_cur_freq`;
        if (!existsSync(join(root, path))) return [];
        const read = () => readValue(root, path, 1e3, RANGE);
        return [{ name: `frequency.${core}`, unit: 'hertz', kind: 'gauge', source: `/${path}`, read }];
      }),
};
