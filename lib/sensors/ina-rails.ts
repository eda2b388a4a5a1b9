import type { EnergyCover } from '../telemetry/sample';
import { checked, isValue, type Measured, readText, type SysRoot } from './read-file';
import type { Probe } from './sensor-source';

/**
 * Rails that feed a whole board, each holding those after it: the supply of Jetson AGX Thor, of the modules TX2, Xavier NX, Orin NX
 * and Orin Nano, and of Jetson Nano.
 */
export const BOARD_RAILS = ['VIN', 'VDD_IN', 'POM_5V_IN'];

/** Rails that are measured once more in a rail that feeds them: AGX Orin makes its memory supply of the 5 V input. */
export const FED_BY: Readonly<Record<string, string>> = { VDDQ_VDD2_1V8AO: 'VIN_SYS_5V0' };

/** Watts of a rail of a board; a little below 0 is noise. */
const WATTS = [-0.5, 1000] as const;
/** Bus volts and amperes that INA chips can measure with any shunt in use. */
export const VOLTS = [-1, 100] as const;
export const AMPERES = [-500, 500] as const;

/** Where a chip does not tell its interval. */
export const DEFAULT_INTERVAL_MS = 50;

/** One channel of a chip. */
export interface Rail {
  readonly name: string;
  readonly source: string;
  readonly intervalMs: number;
  readonly watts: () => Measured;
}

/** Probes of the rails of a machine, each with what it covers; channels that are not connected (NC) are left out. */
export function railProbes(rails: readonly Rail[]): Probe[] {
  const connected = rails.filter(({ name }) => !/\bNC\b/.test(name));
  const names = new Set(connected.map(({ name }) => name));
  const board = BOARD_RAILS.find((name) => names.has(name));
  return connected.map(({ name, source, intervalMs, watts }) => ({
    name: `power.${name}`,
    unit: 'watts',
    kind: 'gauge',
    source,
    energy: { covers: coverOf(name, board, names), intervalMs },
    read: () => plausible(watts(), source),
  }));
}

/** Millivolts by milliamperes, or why there is no product. */
export function product(volts: Measured, amperes: Measured): Measured {
  if (!isValue(volts)) return volts;
  return isValue(amperes) ? volts * amperes : amperes;
}

/** The name of the rail that a chip without labels measures, as far as the machine tells: Jetson AGX Thor has one INA238, at its supply. */
export function unlabelledRail(root: SysRoot, chip: string): string {
  return chip === 'ina238' && /Jetson AGX Thor/.test(readText(root, 'proc/device-tree/model') ?? '') ? 'VIN' : chip;
}

function coverOf(name: string, board: string | undefined, names: ReadonlySet<string>): EnergyCover {
  if (name === board) return 'board';
  return board !== undefined || names.has(FED_BY[name]) ? 'part' : 'rail';
}

function plausible(watts: Measured, source: string): Measured {
  if (!isValue(watts)) return watts;
  const found = checked(watts, WATTS, source);
  return !isValue(found) && watts < 0
    ? { reason: `${found.reason}: the shunt may be connected the wrong way round` }
    : found;
}
