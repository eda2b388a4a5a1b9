import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HoneError } from '../core/error';

/**
 * Writes a file so that it is there whole, as before or as after, whatever happens meanwhile. One writer at a time.
 * @throws E_FILE_WRITE
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const partial = `${path}.part`;
  try {
    const file = await open(partial, 'w', 0o644);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
    const folder = await open(dirname(path), 'r');
    await folder.sync().finally(() => folder.close());
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {});
    throw new HoneError('E_FILE_WRITE', { path, reason: (error as Error).message }, { cause: error });
  }
}
