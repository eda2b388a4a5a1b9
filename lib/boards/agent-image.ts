import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HoneError } from '../core/error';
import { addonPlaces } from '../engine/addon';
import { packageRoot } from '../engine/package-root';
import { version } from '../engine/version';

/** Platforms of boards, as Node calls them. */
export type BoardPlatform = 'linux-arm64' | 'linux-x64';

/** A file of the agent. */
export interface AgentFile {
  /** Relative to the folder of the agent's program. */
  readonly path: string;
  readonly mode: number;
  readonly sha256: string;
  readonly bytes: Uint8Array;
}

/** All that a board needs besides Node: the agent in one JavaScript file and its addon. */
export interface AgentImage {
  readonly version: string;
  readonly platform: BoardPlatform;
  readonly files: readonly AgentFile[];
}

/**
 * The agent for a platform: of a clone what was built there, else what the package holds.
 * @throws E_AGENT_IMAGE with what makes it where something is missing
 */
export async function readAgentImage(platform: BoardPlatform, root: string = packageRoot()): Promise<AgentImage> {
  const script = join(root, 'dist', 'agent', 'hone-agent.js');
  const here = `${process.platform}-${process.arch}`;
  const target = platform === here ? 'host' : platform === 'linux-arm64' ? 'arm64' : 'prebuilds';
  const files = await Promise.all([
    readFirst([script], 'hone-agent.js', 0o755, platform, 'npm run build'),
    readFirst(addonPlaces(root, platform), 'hone.node', 0o644, platform, `node deploy/build/native.mjs ${target}`),
  ]);
  return { version: version(), platform, files };
}

async function readFirst(
  places: readonly string[],
  path: string,
  mode: number,
  platform: BoardPlatform,
  command: string,
): Promise<AgentFile> {
  for (const place of places) {
    const bytes = await readFile(place).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    if (bytes) return { path, mode, sha256: createHash('sha256').update(bytes).digest('hex'), bytes };
  }
  throw new HoneError('E_AGENT_IMAGE', { platform, path: places.join(' or '), command });
}
