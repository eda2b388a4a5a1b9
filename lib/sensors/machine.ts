import type { Reading } from '../telemetry/sample';
import { findEnergySource, type NoEnergy, readEnergy } from './energy';
import type { EnergySource } from './energy-source';
import { readFrequency } from './frequency';
import { readCpuPressure } from './load';
import { readMemory } from './memory';
import type { SysRoot } from './read-file';
import { readThermal } from './thermal';

/** All sensors of this machine behind one call. */
export interface MachineSensors {
  /** What energy is read from, or why it cannot be. */
  readonly energy: EnergySource | NoEnergy;
  /** Memory, temperature, frequency, load and energy now. Costs well under a millisecond. */
  read(): Reading[];
}

/** Finds the sensors below `root` (`/` but in tests). */
export function openMachineSensors(root: SysRoot = '/'): MachineSensors {
  const energy = findEnergySource(root);
  return {
    energy,
    read: () => [
      ...readMemory(root),
      ...readThermal(root),
      ...readFrequency(root),
      readCpuPressure(root),
      readEnergy(energy),
    ],
  };
}
