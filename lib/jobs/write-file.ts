import { access, constants, open, readdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { HoneError } from '../core/error';
import { isAlive } from './is-alive';

let written = 0;

/**
 * Writes a file so that it appears whole or not at all: bytes go to a new file beside it, reach the disk, then take the name.
 * Links stay links; a device or pipe is written to as it is. Parts that killed processes left behind are cleared away.
 * @throws E_FILE_WRITE; nothing is left behind and an older file stays as it was
 */
export async function writeFileAtomically(path: string, bytes: Uint8Array | string): Promise<void> {
  let partial: string | undefined;
  try {
    if (await isDevice(path)) return await writeFile(path, bytes);
    const target = await realpath(path).catch(() => path);
    await removeOrphans(target);
    partial = `${target}.${process.pid}-${written++}.part`;
    await writeDurably(partial, bytes);
    await rename(partial, target);
    await syncFolder(dirname(target));
  } catch (error) {
    if (partial !== undefined) await rm(partial, { force: true }).catch(() => {});
    throw new HoneError('E_FILE_WRITE', { path, reason: (error as Error).message }, { cause: error });
  }
}

/**
 * Says early that `path` cannot be written, before long work for it begins.
 * @throws E_FILE_WRITE
 */
export async function requireWritable(path: string): Promise<void> {
  try {
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory()) throw new Error('it is a folder');
    await access(dirname(path), constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new HoneError('E_FILE_WRITE', { path, reason: (error as Error).message }, { cause: error });
  }
}

/** Renaming onto a device would replace it by a plain file. */
async function isDevice(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && !found.isFile() && !found.isDirectory();
}

async function writeDurably(path: string, bytes: Uint8Array | string): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Removes parts of `target` whose writer runs no more. */
async function removeOrphans(target: string): Promise<void> {
  const folder = dirname(target);
  const prefix = `${basename(target)}.`;
  for (const name of await readdir(folder)) {
    const writer = name.startsWith(prefix) ? /^(\d+)-\d+\.part$/.exec(name.slice(prefix.length))?.[1] : undefined;
    if (writer !== undefined && !isAlive(Number(writer))) await rm(join(folder, name), { force: true });
  }
}

/** Makes the new name itself durable; file systems that cannot do that are left alone. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}
