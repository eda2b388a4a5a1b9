import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { readError } from '../core/error';
import { findLabels } from '../data/open-dataset';

/**
 * SHA-256 over the names and bytes of all files that `openDataset` reads for a path: the file, its labels beside it, or
 * everything in a folder.
 * @throws E_FILE_NOT_FOUND
 */
export async function hashData(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    const labels = await findLabels(path);
    await addFile(hash, path, '');
    if (labels !== undefined) await addFile(hash, labels, 'labels');
  } catch (error) {
    throw readError(path, error);
  }
  return hash.digest('hex');
}

async function addFile(hash: Hash, path: string, name: string): Promise<void> {
  hash.update(`${name}\0`);
  if (!(await stat(path)).isDirectory()) return pipeline(createReadStream(path), hash, { end: false });
  for (const entry of (await readdir(path)).sort()) await addFile(hash, join(path, entry), `${name}/${entry}`);
}
