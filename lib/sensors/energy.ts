import type { Reading } from '../telemetry/sample';
import type { EnergySource } from './energy-source';
import { findInaPower } from './ina-power';
import { listFolder, readNumber, readText, type SysRoot } from './read-file';

/** Why no energy can be told. */
export interface NoEnergy {
  readonly reason: string;
}

/**
 * The energy source of this machine: RAPL package counters (powercap) on x86, else the power that an INA sensor measures
 * (Jetson and add-on boards). Reading RAPL usually needs root.
 */
export function findEnergySource(root: SysRoot): EnergySource | NoEnergy {
  const powercap = 'sys/class/powercap';
  const packages = listFolder(root, powercap).filter((name) => /^intel-rapl:\d+$/.test(name));
  for (const name of packages) {
    const path = `${powercap}/${name}/energy_uj`;
    if (readNumber(root, path) === undefined) continue;
    const wrap = readNumber(root, `${powercap}/${name}/max_energy_range_uj`);
    return {
      kind: 'counter',
      name: `energy.${readText(root, `${powercap}/${name}/name`) ?? name}`,
      source: `/${path}`,
      scope: 'package',
      ...(wrap === undefined ? {} : { wrapJoules: wrap / 1e6 }),
      read: () => {
        const microjoules = readNumber(root, path);
        return microjoules === undefined ? undefined : microjoules / 1e6;
      },
    };
  }
  const unreadable = 'RAPL counters are there but not readable (they need root)';
  return findInaPower(root) ?? { reason: packages.length > 0 ? unreadable : 'this machine has no energy sensor' };
}

/** Energy or power as a reading; null with the reason when there is no source. */
export function readEnergy(found: EnergySource | NoEnergy): Reading {
  if ('reason' in found)
    return {
      name: 'energy',
      unit: 'joules',
      kind: 'counter',
      source: 'powercap, hwmon',
      value: null,
      reason: found.reason,
    };
  const unit = found.kind === 'counter' ? 'joules' : 'watts';
  const value = found.read();
  return value === undefined
    ? {
        name: found.name,
        unit,
        kind: found.kind,
        source: found.source,
        value: null,
        reason: 'the sensor stopped answering',
      }
    : { name: found.name, unit, kind: found.kind, source: found.source, value };
}
