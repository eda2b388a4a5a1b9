import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HoneError } from '../core/error';

/** Where an agent that lives in one plain folder keeps what it has. */
export interface BoardFolder {
  readonly root: string;
  /** Says which plans there are; their paths are below the root. */
  readonly catalogue: string;
  /** Whole files under the SHA-256 of their bytes, and those that are arriving. */
  readonly blobs: string;
  readonly partial: string;
  /** The supervisor's socket of the agent that runs. */
  readonly control: string;
  /** What whoever starts the agent has it print to. */
  readonly log: string;
}

/** The places of an agent's folder. */
function boardFolder(root: string): BoardFolder {
  return {
    root,
    catalogue: join(root, 'catalogue.json'),
    blobs: join(root, 'blobs', 'sha256'),
    partial: join(root, 'blobs', 'partial'),
    control: join(root, 'run', 'control.sock'),
    log: join(root, 'logs', 'agent.log'),
  };
}

/** Path below the root of a blob, as the catalogue names it. */
export function blobPath(sha256: string): string {
  return `blobs/sha256/${sha256}`;
}

/** Makes what is missing of an agent's folder, whose parent must be there; a new catalogue is empty. @throws E_FILE_WRITE */
export async function makeBoardFolder(root: string): Promise<BoardFolder> {
  const folder = boardFolder(root);
  try {
    // One by one: where a name cannot be made (/proc), Node's recursive mkdir never returns.
    for (const name of ['.', 'blobs', 'blobs/sha256', 'blobs/partial', 'run', 'logs'])
      await mkdir(join(root, name), 0o700).catch(unlessThere);
    await writeFile(folder.catalogue, '{ "models": [] }\n', { flag: 'wx' }).catch(unlessThere);
  } catch (error) {
    throw new HoneError('E_FILE_WRITE', { path: root, reason: (error as Error).message }, { cause: error });
  }
  return folder;
}

function unlessThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
