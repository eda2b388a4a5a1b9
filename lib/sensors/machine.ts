import type { Reading } from '../telemetry/sample';
import { EnergyMeter } from './energy-meter';
import { isValue, type Measured, type Refusal, type SysRoot } from './read-file';
import type { Probe, SensorRight, SensorSource } from './sensor-source';
import { SENSOR_SOURCES } from './sources';

/** What a row of the table gives on this machine. */
export interface SourceState {
  readonly id: string;
  readonly what: string;
  /** Names of its readings. */
  readonly readings: readonly string[];
  /** Why it finds nothing, or the first reason why what it finds cannot be read; null when all is well. */
  readonly reason: string | null;
  /** What would open it to this user; null where nothing is closed. */
  readonly right: SensorRight | null;
}

/** All sensors of this machine behind one call. */
export interface MachineSensors {
  /** Energy of the widest scope that is measured here. */
  readonly energy: EnergyMeter;
  /** Every source, with what it finds, in the order of the table. */
  readonly sources: readonly SourceState[];
  /** All quantities now. Costs well under a millisecond but for chips on a bus, which take about one each. */
  read(): Reading[];
}

/**
 * Finds the sensors below `root` (`/` but in tests).
 * @param monotonicNs clock of the energy counters, in nanoseconds
 */
export function openMachineSensors(
  root: SysRoot = '/',
  monotonicNs = () => Number(process.hrtime.bigint()),
): MachineSensors {
  const rows = SENSOR_SOURCES.map((source) => ({ source, probes: source.find({ root, monotonicNs }) }));
  const probes = rows.flatMap((row) => row.probes);
  const names = uniqueNames(probes.map(({ name }) => name));
  const nameOf = new Map(probes.map((probe, index) => [probe, names[index]]));
  const sources = rows.map((row) => stateOf(row.source, row.probes, nameOf));
  const energy = new EnergyMeter(probes, noEnergy(rows), monotonicNs);
  const missing = missingQuantities(rows);
  return {
    energy,
    sources,
    read() {
      const values = new Map(probes.map((probe) => [probe, probe.read()]));
      energy.feed((probe) => values.get(probe)!);
      const readings = probes.map((probe) => reading(probe, nameOf.get(probe)!, values.get(probe)!));
      return [...readings, ...missing, energy.reading];
    },
  };
}

/** The names with those that occur more than once numbered from 0 in their order, such as `thermal.acpitz-0`. */
function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set(names.filter((name, at) => names.indexOf(name) === at && names.lastIndexOf(name) === at));
  return names.map((name) => {
    if (taken.has(name) && names.indexOf(name) === names.lastIndexOf(name)) return name;
    let number = 0;
    while (taken.has(`${name}-${number}`)) number++;
    taken.add(`${name}-${number}`);
    return `${name}-${number}`;
  });
}

interface Row {
  readonly source: SensorSource;
  readonly probes: readonly Probe[];
}

function stateOf({ id, what, absent, right }: SensorSource, probes: readonly Probe[], names: Map<Probe, string>) {
  const refused = refusals(probes);
  return {
    id,
    what,
    readings: probes.map((probe) => names.get(probe)!),
    reason: probes.length === 0 ? absent : (refused[0]?.reason ?? null),
    right: refused.some(({ denied }) => denied) ? (right ?? null) : null,
  };
}

/** One reading for each quantity that no source gives; the meter speaks for energy. */
function missingQuantities(rows: readonly Row[]): Reading[] {
  return rows
    .filter(({ source, probes }) => source.quantity !== 'energy' && probes.length === 0)
    .map(({ source: { quantity, unit, kind, files, absent } }) => ({
      name: quantity,
      unit,
      kind,
      source: files,
      value: null,
      reason: absent,
    }));
}

/** Why no source of energy can be used: what those that are there lack, else that there is none. */
function noEnergy(rows: readonly Row[]): string {
  const there = rows.filter(({ source, probes }) => source.quantity === 'energy' && probes.length > 0);
  const refused = there.flatMap(({ probes }) => refusals(probes).slice(0, 1));
  return refused.length === 0 ? 'this machine has no energy sensor' : refused.map(({ reason }) => reason).join('; ');
}

function refusals(probes: readonly Probe[]): Refusal[] {
  return probes.flatMap((probe) => {
    const value = probe.read();
    return isValue(value) ? [] : [value];
  });
}

function reading({ unit, kind, source, energy }: Probe, name: string, measured: Measured): Reading {
  const head = { name, unit, kind, source, ...(energy === undefined ? {} : { covers: energy.covers }) };
  return isValue(measured) ? { ...head, value: measured } : { ...head, value: null, reason: measured.reason };
}
