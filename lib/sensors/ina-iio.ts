import { DEFAULT_INTERVAL_MS, type Rail, railProbes } from './ina-rails';
import { listFolder, readText, readValue } from './read-file';
import type { SensorSource } from './sensor-source';

const DEVICES = 'sys/bus/i2c/devices';

/** Power by the INA3221 chips of Jetson boards with JetPack 4, whose kernel shows them as IIO devices. */
export const inaIioSource: SensorSource = {
  id: 'ina-iio',
  quantity: 'energy',
  what: 'power of every rail of Jetson boards with JetPack 4 (Nano, TX2, Xavier)',
  files: '/sys/bus/i2c/devices/*/iio:device*/{rail_name_<n>,in_power<n>_input}',
  names: '`power.<rail name>`',
  unit: 'watts',
  kind: 'gauge',
  interval: 'not told, taken as 50 ms',
  absent: 'no INA3221 chip in /sys/bus/i2c/devices',
  find: ({ root }) =>
    railProbes(
      listFolder(root, DEVICES)
        .flatMap((device) => listFolder(root, `${DEVICES}/${device}`).map((folder) => `${DEVICES}/${device}/${folder}`))
        .filter((folder) => /\/iio:device\d+$/.test(folder))
        .flatMap((folder) =>
          [0, 1, 2].flatMap((channel): Rail[] => {
            const name = readText(root, `${folder}/rail_name_${channel}`);
            const path = `${folder}/in_power${channel}_input`;
            // In milliwatts.
            const watts = () => readValue(root, path, 1e-3, [-1e6, 1e6]);
            return name ? [{ name, source: `/${path}`, intervalMs: DEFAULT_INTERVAL_MS, watts }] : [];
          }),
        ),
    ),
};
