import { listFolder, readText, readValue } from './read-file';
import type { SensorSource } from './sensor-source';

const ZONES = 'sys/class/thermal';

/** Degrees that silicon and boards can have; drivers give -274 and the like for a zone that is off. */
const RANGE = [-60, 200] as const;

/** Temperature of every thermal zone, by its type. */
export const thermalSource: SensorSource = {
  id: 'thermal',
  quantity: 'thermal',
  what: 'temperature of every thermal zone',
  files: '/sys/class/thermal/thermal_zone*/{type,temp}',
  names: '`thermal.<type>`, numbered where zones share a type',
  unit: 'celsius',
  kind: 'gauge',
  interval: 'about 1 s, by driver',
  absent: 'this machine has no thermal zone',
  find: ({ root }) =>
    listFolder(root, ZONES)
      .filter((zone) => /^thermal_zone\d+$/.test(zone))
      .map((zone) => {
        const path = `${ZONES}/${zone}/temp`;
        return {
          name: `thermal.${readText(root, `${ZONES}/${zone}/type`) || zone}`,
          unit: 'celsius',
          kind: 'gauge',
          source: `/${path}`,
          read: () => readValue(root, path, 1e-3, RANGE),
        };
      }),
};
