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
  files: '/sys/class/hwmon/hwmon*/{name,label,in<n>_label}, power<n>_input or {in<n>_input,curr<n>_input}',
  names: '`power.<label>`',
  unit: 'watts',
  kind: 'gauge',
  interval: 'as `update_interval` says, else taken as 50 ms',
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
  const updated = readValue(root, `${folder}/update_interval`, 1, [0, 1e6]);
  const intervalMs = isValue(updated) ? Math.max(1, updated) : DEFAULT_INTERVAL_MS;
  const channels = [1, 2, 3].flatMap((number) => channelOf(root, folder, number) ?? []);
  const label = (number: number) => readText(root, `${folder}/in${number}_label`);
  if (channels.length === 1) {
    const [{ number, source, watts }] = channels;
    const name = label(number) || readText(root, `${folder}/label`) || unlabelledRail(root, chip);
    return [{ name, source, intervalMs, watts }];
  }
  return channels.flatMap(({ number, source, watts }): Rail[] => {
    const name = label(number);
    // Channels that the board leaves free have no label and answer nothing.
    return name || isValue(watts()) ? [{ name: name || `${chip}-${number}`, source, intervalMs, watts }] : [];
  });
}

/** How a channel is read: its power in microwatts, else millivolts by milliamperes; undefined when it is not there or switched off. */
function channelOf(root: SysRoot, folder: string, number: number) {
  const has = (file: string) => existsSync(join(root, folder, file));
  if (readText(root, `${folder}/in${number}_enable`) === '0') return undefined;
  const [power, voltage, current] = ['power', 'in', 'curr'].map((quantity) => `${quantity}${number}_input`);
  if (has(power)) {
    const watts = () => readValue(root, `${folder}/${power}`, 1e-6, [-1e6, 1e6]);
    return { number, source: `/${folder}/${power}`, watts };
  }
  if (!has(voltage) || !has(current)) return undefined;
  const watts = () =>
    product(
      readValue(root, `${folder}/${voltage}`, 1e-3, VOLTS),
      readValue(root, `${folder}/${current}`, 1e-3, AMPERES),
    );
  return { number, source: `/${folder}/{${voltage},${current}}`, watts };
}
