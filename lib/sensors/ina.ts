import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AMPERES, DEFAULT_INTERVAL_MS, product, type Rail, railProbes, unlabelledRail, VOLTS } from './ina-rails';
import { isValue, listFolder, readText, readValue, type SysRoot } from './read-file';
import type { SensorSource } from './sensor-source';

const HWMON = 'sys/class/hwmon';

/** Power by INA sensors (Texas Instruments INA2xx, INA3221) of the hwmon drivers: Jetson since JetPack 5, add-on boards. */
export const inaSource: SensorSource = {
  id: 'ina',
  quantity: 'energy',
  what: 'power of every rail that an INA2xx or INA3221 chip measures (Jetson since JetPack 5, add-on boards)',
  files: '/sys/class/hwmon/hwmon*/{name,power1_input} or {in<n>_label,in<n>_input,curr<n>_input}',
  names: '`power.<label>`',
  unit: 'watts',
  kind: 'gauge',
  interval: 'as `update_interval` says, else taken as 50 ms; read at 20 per second at most',
  absent: 'no INA chip in /sys/class/hwmon',
  find: ({ root }) =>
    railProbes(
      listFolder(root, HWMON)
        .map((chip) => `${HWMON}/${chip}`)
        .filter((folder) => /^ina[23]\d/.test(readText(root, `${folder}/name`) ?? ''))
        .flatMap((folder) => railsOf(root, folder)),
    ),
};

function railsOf(root: SysRoot, folder: string): Rail[] {
  const chip = readText(root, `${folder}/name`)!;
  const has = (file: string) => existsSync(join(root, folder, file));
  const updated = readValue(root, `${folder}/update_interval`, 1, [0, 1e6]);
  const intervalMs = isValue(updated) ? Math.max(1, updated) : DEFAULT_INTERVAL_MS;
  const label = (channel: number) => readText(root, `${folder}/in${channel}_label`);
  if (has('power1_input')) {
    const name = label(1) || readText(root, `${folder}/label`) || unlabelledRail(root, chip);
    // In microwatts.
    const watts = () => readValue(root, `${folder}/power1_input`, 1e-6, [-1e6, 1e6]);
    return [{ name, source: `/${folder}/power1_input`, intervalMs, watts }];
  }
  return [1, 2, 3].flatMap((channel): Rail[] => {
    const voltage = `in${channel}_input`;
    const current = `curr${channel}_input`;
    if (!has(voltage) || !has(current)) return [];
    const watts = () =>
      product(
        readValue(root, `${folder}/${voltage}`, 1e-3, VOLTS),
        readValue(root, `${folder}/${current}`, 1e-3, AMPERES),
      );
    const source = `/${folder}/{${voltage},${current}}`;
    return [{ name: label(channel) || `${chip}-${channel}`, source, intervalMs, watts }];
  });
}
