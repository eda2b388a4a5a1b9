import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The nearest folder at or above `folder` that holds a package.json: where this package lies; else the topmost folder. */
export function packageRoot(folder: string = __dirname): string {
  const above = dirname(folder);
  return above === folder || existsSync(join(folder, 'package.json')) ? folder : packageRoot(above);
}
