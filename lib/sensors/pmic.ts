import { readText } from './read-file';
import type { SensorSource } from './sensor-source';

/** The power chip of the Raspberry Pi 5: there, and not readable without native code; the reading says so. */
export const pmicSource: SensorSource = {
  id: 'pmic',
  quantity: 'energy',
  what: 'power chip of the Raspberry Pi 5: seen, not read',
  files: '/proc/device-tree/model',
  names: '`power.pmic`',
  unit: 'watts',
  kind: 'gauge',
  interval: 'never',
  absent: 'not a Raspberry Pi 5',
  find: ({ root }) =>
    /^Raspberry Pi (5|Compute Module 5|500)\b/.test(readText(root, 'proc/device-tree/model') ?? '')
      ? [
          {
            name: 'power.pmic',
            unit: 'watts',
            kind: 'gauge',
            source: '/dev/vcio',
            read: () => ({
              reason:
                'the power chip answers only ioctl calls of /dev/vcio, which Hone does not make; it would leave out what the 5 V pins and USB take: use a meter at the supply',
            }),
          },
        ]
      : [],
};
