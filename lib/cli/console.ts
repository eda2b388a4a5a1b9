import pc from 'picocolors';
import type { HoneError } from '../core/error';

/** Where a verb prints, and how it learns of Ctrl-C. */
export interface Console {
  /** Whether `--json` was given: then only one JSON value goes to standard output. */
  readonly json: boolean;
  readonly signal: AbortSignal;
  /** Prints a line for people; silent with `--json`. */
  say(line?: string): void;
  /** Prints the result as JSON; silent without `--json`. */
  result(value: unknown): void;
  /** Shows how far long work is, with the time left; only on a terminal. */
  progress(what: string, done: number, total: number): void;
}

/** A console over standard output (results) and standard error (progress). */
export function openConsole(json: boolean, signal: AbortSignal): Console {
  const live = process.stderr.isTTY === true && !json;
  let started: { what: string; at: number } | undefined;
  let drawn = 0;
  const clear = (): void => {
    if (drawn > 0) process.stderr.write('\r\u001b[K');
    drawn = 0;
  };
  return {
    json,
    signal,
    say(line = '') {
      clear();
      if (!json) process.stdout.write(`${line}\n`);
    },
    result(value) {
      if (json) process.stdout.write(`${JSON.stringify(value, jsonValue, 2)}\n`);
    },
    progress(what, done, total) {
      if (!live) return;
      if (started?.what !== what) started = { what, at: Date.now() };
      const now = Date.now();
      if (done < total && now - drawn < 100) return;
      const left = done > 0 ? ((now - started.at) * (total - done)) / done / 1000 : Number.NaN;
      process.stderr.write(
        `\r\u001b[K${what} ${done}/${total}${Number.isFinite(left) ? `, ${left.toFixed(0)} s left` : ''}`,
      );
      drawn = now;
      if (done >= total) clear();
    },
  };
}

/** Maps, typed arrays and big integers as JSON knows them. */
function jsonValue(_key: string, value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries(value);
  if (typeof value === 'bigint') return Number(value);
  return value;
}

/** Prints an error for people or machines; returns the exit code: 130 after Ctrl-C, else 1. */
export function printError(error: HoneError, json: boolean): number {
  const { code, message, hint } = error;
  if (json) process.stdout.write(`${JSON.stringify({ error: { code, message, hint } })}\n`);
  else process.stderr.write(`${pc.red('error')} ${message} ${pc.dim(`[${code}]`)}\n${hint}\n`);
  return code === 'E_INTERRUPTED' ? 130 : 1;
}

/** Rows with columns as wide as their widest cell, two spaces between; numbers to the right. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const numeric = widths.map((_, column) =>
    rows.slice(1).every((row) => /^[-\d.,%–×()\s]*$|^\S+ (µs|kB|%)$/.test(row[column])),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => (numeric[column] ? cell.padStart(widths[column]) : cell.padEnd(widths[column])))
      .join('  ')
      .trimEnd(),
  );
}

/** Bytes with three significant digits and a unit. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value >= 100 || unit === 0 ? value.toFixed(0) : value.toPrecision(3)} ${units[unit]}`;
}

/** Microseconds with three significant digits. */
export function timeText(us: number): string {
  return us >= 10000 ? `${(us / 1000).toPrecision(3)} ms` : `${us >= 100 ? us.toFixed(0) : us.toPrecision(3)} µs`;
}

/** A share as percent. */
export function percentText(share: number, digits = 2): string {
  return `${(100 * share).toFixed(digits)} %`;
}
