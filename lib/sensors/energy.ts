import type { Reading } from '../telemetry/sample';
import { listFolder, readNumber, readText, type SysRoot } from './read-file';

/** An energy counter or a power gauge of this machine, found once at start. */
export interface EnergySource {
  /** `counter`: joules that only grow (wraps at `wrapJoules`); `gauge`: watts at this moment. */
  readonly kind: 'counter' | 'gauge';
  readonly name: string;
  readonly source: string;
  /** What it measures, for example `package` or `board`. */
  readonly scope: string;
  readonly wrapJoules?: number;
  read(): number | undefined;
}

/** Why no energy can be told. */
export interface NoEnergy {
  readonly reason: string;
}

/**
 * The energy source of this machine: RAPL package counters (powercap) on x86, else the power of an INA sensor in hwmon
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
      read: () => scaled(readNumber(root, path), 1e-6),
    };
  }
  for (const chip of listFolder(root, 'sys/class/hwmon')) {
    const folder = `sys/class/hwmon/${chip}`;
    const label = readText(root, `${folder}/name`) ?? chip;
    if (!/^ina(2|3)/.test(label) || readNumber(root, `${folder}/power1_input`) === undefined) continue;
    return {
      kind: 'gauge',
      name: `power.${label}`,
      source: `/${folder}/power1_input`,
      scope: 'rail',
      read: () => scaled(readNumber(root, `${folder}/power1_input`), 1e-6),
    };
  }
  return {
    reason:
      packages.length > 0
        ? 'RAPL counters are there but not readable (they need root)'
        : 'this machine has no energy sensor',
  };
}

/** Energy or power as a reading; null with the reason when there is no source. */
export function readEnergy(found: EnergySource | NoEnergy): Reading {
  if ('reason' in found)
    return { name: 'energy', unit: 'joules', source: 'powercap, hwmon', value: null, reason: found.reason };
  const unit = found.kind === 'counter' ? 'joules' : 'watts';
  const value = found.read();
  return value === undefined
    ? { name: found.name, unit, source: found.source, value: null, reason: 'the sensor stopped answering' }
    : { name: found.name, unit, source: found.source, value };
}

function scaled(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}
