import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Version of this package, from the nearest package.json above. */
export function version(folder: string = __dirname): string {
  try {
    return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version;
  } catch {
    return dirname(folder) === folder ? '0' : version(dirname(folder));
  }
}
