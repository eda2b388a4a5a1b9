import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A directory that sensors read as `/`; tests give a folder of fake files. */
export type SysRoot = string;

/** Trimmed text of a system file, or undefined when it cannot be read. */
export function readText(root: SysRoot, path: string): string | undefined {
  try {
    return readFileSync(join(root, path), 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** Finite number in a system file, or undefined. */
export function readNumber(root: SysRoot, path: string): number | undefined {
  const text = readText(root, path);
  const value = text === undefined || text === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** Entries of a system folder, sorted; empty when it is absent. */
export function listFolder(root: SysRoot, path: string): string[] {
  try {
    return readdirSync(join(root, path)).sort();
  } catch {
    return [];
  }
}
