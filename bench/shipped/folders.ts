import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { DATA_FOLDER } from '../models';
import type { Folders } from './samples';

/** A network that people ship. */
export interface ShippedNetwork {
  /** File name without its ending. */
  readonly name: string;
  readonly path: string;
}

/** Where networks that people ship and natural pictures lie: HONE_ZOO and HONE_PICTURES, or else the user's cache. */
export function shippedFolders(): Folders {
  const cache = (name: string) => join(homedir(), '.cache', name);
  return {
    zoo: resolve(process.env.HONE_ZOO ?? cache('hone-zoo')),
    pictures: resolve(process.env.HONE_PICTURES ?? cache('hone-pictures')),
    data: DATA_FOLDER,
  };
}

/** Folders of networks that are not there. */
export function absentNetworks({ zoo, data }: Folders): string[] {
  return [zoo, join(data, 'models')].filter((folder) => !existsSync(folder));
}

/** All networks at hand whose names are `wanted`, each content once, the largest first. */
export function shippedNetworks({ zoo, data }: Folders, wanted = (_name: string) => true): readonly ShippedNetwork[] {
  const seen = new Set<string>();
  return [zoo, join(data, 'models')]
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((file) => ({ file, path: join(folder, file) })))
    .filter(({ file }) => file.endsWith('.onnx') && wanted(file))
    .sort((a, b) => statSync(b.path).size - statSync(a.path).size)
    .filter(({ path }) => {
      const hash = createHash('sha256').update(readFileSync(path)).digest('hex');
      return !seen.has(hash) && seen.add(hash);
    })
    .map(({ file, path }) => ({ name: file.replace(/\.onnx$/, ''), path }));
}
