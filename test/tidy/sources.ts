import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Root of the repository. */
export const ROOT = join(__dirname, '../..');

/** Paths (relative to the root, `/` between parts) of the files below `folder` whose name ends with one of `endings`. */
export function sourceFiles(folder: string, endings: readonly string[]): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .sort();
}

export function readSource(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}
