import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HoneError } from '../core/error';

/**
 * Makes a folder and those around it; one that is there already is fine. `mode` are the permissions of new ones.
 * (Node's own recursive mkdir never ends where a parent is there but takes no folders, as below /proc.)
 * @throws E_FILE_WRITE
 */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  try {
    await make(path, mode);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'EEXIST' || code === 'ENOTDIR' ? 'it should be a folder, and a file is there' : message;
    throw new HoneError('E_FILE_WRITE', { path, reason }, { cause: error });
  }
}

async function make(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && dirname(path) !== path) {
      await make(dirname(path), mode);
      await mkdir(path, { mode });
    } else if (code !== 'EEXIST' || !(await stat(path)).isDirectory()) throw error;
  }
}
