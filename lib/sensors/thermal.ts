import type { Reading } from '../telemetry/sample';
import { listFolder, readNumber, readText, type SysRoot } from './read-file';

const ZONES = 'sys/class/thermal';

/** Temperatures of every thermal zone in degrees Celsius; one null reading with the reason when there is none. */
export function readThermal(root: SysRoot): Reading[] {
  const zones = listFolder(root, ZONES).filter((name) => name.startsWith('thermal_zone'));
  if (zones.length === 0)
    return [
      {
        name: 'thermal',
        unit: 'celsius',
        kind: 'gauge',
        source: `/${ZONES}`,
        value: null,
        reason: 'this machine has no thermal zone',
      },
    ];
  return zones.map((zone) => {
    const name = `thermal.${readText(root, `${ZONES}/${zone}/type`) ?? zone}`;
    const source = `/${ZONES}/${zone}/temp`;
    const milli = readNumber(root, `${ZONES}/${zone}/temp`);
    return milli === undefined
      ? { name, unit: 'celsius', kind: 'gauge', source, value: null, reason: 'the zone gives no temperature' }
      : { name, unit: 'celsius', kind: 'gauge', source, value: milli / 1000 };
  });
}
