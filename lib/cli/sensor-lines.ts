import type { MachineSensors } from '../sensors/machine';
import type { Reading } from '../telemetry/sample';
import { readingText } from './text';

/** A line about a sensor: its name, whether it gives values, and its value or why there is none. */
export interface SensorLine {
  readonly name: string;
  readonly given: boolean;
  readonly text: string;
}

/** What the sensors of a machine give, then the sources that find nothing, each with the reason. */
export function sensorLines({ sources, read }: MachineSensors): SensorLine[] {
  const readings = read();
  const named = new Set(readings.map(({ name }) => name));
  return [
    ...readings.map((reading) => ({ name: reading.name, given: reading.value !== null, text: valueText(reading) })),
    ...sources
      .filter(({ id, readings: found }) => found.length === 0 && !named.has(id))
      .map(({ id, reason }) => ({ name: id, given: false, text: reason ?? '' })),
  ];
}

/** What a person can do so that closed sensors can be read, two lines each. */
export function rightLines({ sources }: MachineSensors): string[] {
  return sources.flatMap(({ id, right }) =>
    right === null ? [] : [`${id}: ${right.why}; to read it as this user until the next start:`, `  ${right.command}`],
  );
}

/** A counter has only just begun: that it counts is all that there is to say. */
function valueText(reading: Reading): string {
  if (reading.value === null) return reading.reason;
  return reading.kind === 'counter' ? `counts (${reading.source})` : readingText(reading);
}
