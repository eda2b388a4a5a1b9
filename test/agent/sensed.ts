import { EnergyMeter } from '../../lib/sensors/energy-meter';
import type { MachineSensors } from '../../lib/sensors/machine';
import type { Reading } from '../../lib/telemetry/sample';
import { binaryRequest, INFER, send } from './served';

/** What a machine with a sensor of every unit, and one that has stopped, reads. */
export const READINGS: readonly Reading[] = [
  { name: 'memory.process-rss', unit: 'bytes', kind: 'gauge', source: 'fake', value: 1e8 },
  { name: 'memory.process-peak-rss', unit: 'bytes', kind: 'gauge', source: 'fake', value: 2e8 },
  { name: 'thermal.cpu', unit: 'celsius', kind: 'gauge', source: 'fake', value: 51.5 },
  { name: 'thermal.gpu', unit: 'celsius', kind: 'gauge', source: 'fake', value: 49 },
  { name: 'frequency.cpu0', unit: 'hertz', kind: 'gauge', source: 'fake', value: 2.4e9 },
  { name: 'energy.package-0', unit: 'joules', kind: 'counter', source: 'fake', value: 12.5 },
  { name: 'energy.psys', unit: 'joules', kind: 'counter', source: 'fake', value: null, reason: 'it stopped answering' },
];
const energy = new EnergyMeter([], 'this machine has no energy sensor', () => 0);
export const sensors: MachineSensors = { energy, sources: [], read: () => [...READINGS] };

/** Asks the tiny model of an agent so many times, one after the other. */
export async function ask(url: string, times: number): Promise<void> {
  for (let i = 0; i < times; i++) expect((await send(url, INFER, binaryRequest())).status).toBe(200);
}
