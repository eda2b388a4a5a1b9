import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundled } from './bundled';
import { packageRoot } from './package-root';

/** Version of this package. */
export function version(): string {
  if (bundled !== undefined) return bundled.version;
  const { version: found } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as {
    version: string;
  };
  return found;
}
