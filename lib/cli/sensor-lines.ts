import type { MachineSensors, SourceState } from '../sensors/machine';
import type { Reading } from '../telemetry/sample';
import { readingText } from './text';

/** A line about a sensor: its name, whether it gives values, and its value or why there is none. */
export interface SensorLine {
  readonly name: string;
  readonly given: boolean;
  readonly text: string;
}

/** What the sensors of a machine give, then the sources that find nothing, each with the reason. */
export function sensorLines(
  sources: readonly Pick<SourceState, 'id' | 'readings' | 'reason'>[],
  readings: readonly Reading[],
): SensorLine[] {
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

/** More values of one quantity are shown by their range. */
const MOST_VALUES = 8;

/** Readings as one row for each quantity: its name and its values, each in the unit that people read it in. */
export function quantityRows(readings: readonly Reading[]): [quantity: string, values: string][] {
  const groups = new Map<string, Reading[]>();
  for (const reading of readings) {
    const quantity = reading.unit === 'joules' ? 'joules since start' : reading.name.split('.', 1)[0];
    groups.set(quantity, [...(groups.get(quantity) ?? []), reading]);
  }
  return [...groups].map(([quantity, group]) => [quantity, valuesText(group)]);
}

function valuesText(group: readonly Reading[]): string {
  const given = group.filter(({ value }) => value !== null);
  const texts =
    given.length > MOST_VALUES
      ? [rangeText(given)]
      : given.map((reading) => `${shortName(reading)} ${markedText(reading)}`.trimStart());
  const missing = group.filter(({ value }) => value === null);
  return [...texts, ...missing.map((reading) => `${shortName(reading)} ${readingText(reading)}`.trimStart())].join(
    '  ',
  );
}

function rangeText(group: readonly Reading[]): string {
  const sorted = [...group].sort((a, b) => a.value! - b.value!);
  return `${readingText(sorted[0])} to ${readingText(sorted[sorted.length - 1])} (${group.length})`;
}

/** The name without its quantity; the reading that is named as the quantity alone is the total of its counters. */
function shortName({ name, kind, value }: Reading): string {
  const short = name.split('.').slice(1).join('.');
  return short === '' && kind === 'counter' && value !== null ? 'total' : short;
}

/** A counter has only just begun: that it counts is all that there is to say. */
function valueText(reading: Reading): string {
  if (reading.value === null) return reading.reason;
  return reading.kind === 'counter' ? `counts (${reading.source})` : markedText(reading);
}

/** The value, with a mark where it is that of the whole board. */
function markedText(reading: Reading): string {
  return `${readingText(reading)}${reading.covers === 'board' ? ' (whole board)' : ''}`;
}
