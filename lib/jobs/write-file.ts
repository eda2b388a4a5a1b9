import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HoneError } from '../core/error';

/**
 * Writes a file so that it appears whole or not at all: bytes go to a new file beside it, reach the disk, then take the name.
 * @throws E_FILE_WRITE; nothing is left behind and an older file stays as it was
 */
export async function writeFileAtomically(path: string, bytes: Uint8Array | string): Promise<void> {
  const partial = `${path}.${process.pid}.part`;
  try {
    const file = await open(partial, 'w');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {});
    throw new HoneError('E_FILE_WRITE', { path, reason: (error as Error).message }, { cause: error });
  }
}

/** Makes the new name itself durable; file systems that cannot do that are left alone. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}
