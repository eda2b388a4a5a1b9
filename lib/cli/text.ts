import type { JudgedBy } from '../compress/finished';
import type { Diagnostic } from '../core/diagnostic';
import type { InferenceEnergy, Reading, ReadingUnit } from '../telemetry/sample';

/** Rows with columns as wide as their widest cell, two spaces between; columns that hold numbers stand to the right. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const [head, ...body] = rows;
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const numeric = head.map((_, column) => body.every((row) => /^(-?\d|exact$|$)/.test(row[column])));
  return rows.map((row) =>
    row
      .map((cell, column) => (numeric[column] ? cell.padStart(widths[column]) : cell.padEnd(widths[column])))
      .join('  ')
      .trimEnd(),
  );
}

/** Lines of `label  value` with the values under each other. */
export function pairs(rows: readonly (readonly [label: string, value: string])[]): string[] {
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows.map(([label, value]) => `${label.padEnd(width)}  ${value}`);
}

/** Bytes with three significant digits and a unit. */
export function bytesText(bytes: number): string {
  return scaled(bytes, ['B', 'kB', 'MB', 'GB']);
}

/** Microseconds with three significant digits. */
export function timeText(us: number): string {
  return us < 1 ? `${(us * 1000).toFixed(0)} ns` : scaled(us, ['µs', 'ms', 's']);
}

/** A count with three significant digits, such as `12.5 M`. */
export function countText(count: number): string {
  return scaled(count, ['', 'k', 'M', 'G']).trimEnd();
}

/** A share as percent. */
export function percentText(share: number, digits = 2): string {
  return `${(100 * share).toFixed(digits)} %`;
}

/** What ran a network for the figures beside it, in a few words. */
export function judgedByText({ executor, reason }: JudgedBy): string {
  return executor === 'native' ? 'judged by the native engine' : `judged by onnxruntime: ${reason}`;
}

/** How a quantity is shown, by its unit: in that which people read it in. */
const SHOWN: Readonly<Record<ReadingUnit, (value: number) => string>> = {
  bytes: bytesText,
  celsius: (value) => `${value.toFixed(1)} °C`,
  hertz: (value) => `${(value / 1e9).toFixed(2)} GHz`,
  joules: (value) => prefixed(value, 'J'),
  watts: (value) => prefixed(value, 'W'),
  ratio: (value) => percentText(value, 1),
  seconds: (value) => timeText(value * 1e6),
  count: countText,
};

/** A reading for people: the value in the unit that one reads best, or why there is none. */
export function readingText({ unit, value, reason }: Reading): string {
  return value === null ? `none (${reason})` : SHOWN[unit](value);
}

/** Energy of one inference for people, with what it covers, or why there is none. */
export function energyText(energy: InferenceEnergy): string {
  if (energy.joules === null) return `none (${energy.reason})`;
  const { joules, netJoules, uncertaintyJoules, scope, windowMs } = energy;
  const net = netJoules === null ? '' : `, ${SHOWN.joules(netJoules)} above idle`;
  const window = SHOWN.seconds(windowMs / 1000);
  return `${SHOWN.joules(joules)} ± ${SHOWN.joules(uncertaintyJoules)} an inference${net} (${scope}, last ${window})`;
}

/** Most names in a line without `--verbose`. */
const MOST_NAMES = 3;

/** Names with commas between; with more than a few, how many more there are. */
export function namesText(names: readonly string[], verbose: boolean): string {
  if (verbose || names.length <= MOST_NAMES + 1) return names.join(', ');
  return `${names.slice(0, MOST_NAMES).join(', ')} and ${names.length - MOST_NAMES} more`;
}

/** Diagnostics with equal text as one line that names the places, all of them with `verbose`. */
export function diagnosticLines(list: readonly Diagnostic[], verbose = false): string[] {
  const places = new Map<string, string[]>();
  for (const { where, message } of list) places.set(message, [...(places.get(message) ?? []), where]);
  return [...places].map(([message, names]) =>
    names.length === 1 ? `  ${names[0]}: ${message}` : `  ${message}: ${names.length} x (${namesText(names, verbose)})`,
  );
}

/** A quantity of a unit with three significant digits, from millionths to millions of it. */
function prefixed(value: number, unit: string): string {
  if (value === 0) return `0 ${unit}`;
  const text = scaled(
    Math.abs(value) * 1e6,
    ['µ', 'm', '', 'k', 'M'].map((prefix) => prefix + unit),
  );
  return value < 0 ? `-${text}` : text;
}

function scaled(value: number, units: readonly string[]): string {
  let rest = value;
  let unit = 0;
  // 999.5 would be shown as 1000.
  while (rest >= 999.5 && unit < units.length - 1) {
    rest /= 1000;
    unit++;
  }
  const digits = rest >= 99.95 || (unit === 0 && Number.isInteger(rest)) ? 0 : rest >= 9.995 ? 1 : 2;
  return `${rest.toFixed(digits)} ${units[unit]}`;
}
