import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A directory that sensors read as `/`; tests give a folder of fake files. */
export type SysRoot = string;

/** Why there is no value. */
export interface Refusal {
  readonly reason: string;
  /** This user may not read it. */
  readonly denied?: true;
}

/** A value, or why there is none. */
export type Measured = number | Refusal;

/** Trimmed text of a system file, or undefined when it cannot be read. */
export function readText(root: SysRoot, path: string): string | undefined {
  try {
    // Texts of a device tree end with NUL.
    return readFileSync(join(root, path), 'utf8').replace(/\0+$/, '').trim();
  } catch {
    return undefined;
  }
}

/**
 * The decimal number in a system file times `factor`, refused with the reason when the file cannot be read, holds anything
 * else, or gives a value outside of `range`, which no working sensor gives.
 */
export function readValue(root: SysRoot, path: string, factor: number, range: readonly [number, number]): Measured {
  let text: string;
  try {
    text = readFileSync(join(root, path), 'utf8').trim();
  } catch (error) {
    return unreadable(path, (error as NodeJS.ErrnoException).code ?? 'unknown error');
  }
  if (!/^-?\d+(\.\d+)?$/.test(text)) return { reason: `/${path} holds '${text.slice(0, 40)}', not a decimal number` };
  return checked(Number(text) * factor, range, `/${path}`);
}

/** The value, refused when it lies outside of what a working sensor gives. */
export function checked(value: number, [low, high]: readonly [number, number], what: string): Measured {
  return value >= low && value <= high
    ? value
    : { reason: `${what} gives ${Number(value.toPrecision(6))}, outside of ${low} to ${high}` };
}

/** Whether a value was measured. */
export function isValue(measured: Measured): measured is number {
  return typeof measured === 'number';
}

/** Entries of a system folder, sorted with numbers by their value; empty when it is absent. */
export function listFolder(root: SysRoot, path: string): string[] {
  try {
    return readdirSync(join(root, path)).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  } catch {
    return [];
  }
}

function unreadable(path: string, code: string): Measured {
  if (code === 'ENOENT') return { reason: `/${path} is not there` };
  if (code === 'EACCES' || code === 'EPERM') return { reason: `this user may not read /${path}`, denied: true };
  return { reason: `/${path} cannot be read (${code})` };
}
