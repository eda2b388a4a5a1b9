import { open, rename, stat } from 'node:fs/promises';
import { version } from '../engine/version';
import { type Agent, type AgentOptions, startAgent } from './agent';
import { makeBoardFolder } from './board-folder';

/** A log of more bytes than this is put aside when an agent starts. */
const LOG_BYTES = 1 << 20;

/** How the agent of a folder serves; what is left out is as in `startAgent`. */
export type FolderSettings = Pick<AgentOptions, 'host' | 'port' | 'threads' | 'cores' | 'queue' | 'timeoutMs'>;

/**
 * Serves the plans of an agent's folder, with the supervisor's socket inside it, which tells who comes over `--stdio` where the HTTP
 * port is.
 * @throws what `startAgent` throws; E_AGENT_PORT when an agent of that folder runs already
 */
export async function serveFolder(root: string, settings: FolderSettings): Promise<Agent> {
  const folder = await makeBoardFolder(root);
  const agent = await startAgent({ folder: root, version: version(), ...settings });
  try {
    await agent.listenForControl(folder.control);
  } catch (error) {
    await agent.close();
    throw error;
  }
  await shortenLog(folder.log);
  return agent;
}

/** Whoever prints to the log goes on at its new beginning: it is open for appending. */
async function shortenLog(path: string): Promise<void> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size <= LOG_BYTES) return;
  const file = await open(path, 'r+');
  try {
    const kept = Buffer.alloc(LOG_BYTES / 2);
    await file.read(kept, 0, kept.length, size - kept.length);
    const aside = await open(`${path}.1.part`, 'w', 0o600);
    await aside.writeFile(kept).finally(() => aside.close());
    await rename(`${path}.1.part`, `${path}.1`);
    await file.truncate();
  } finally {
    await file.close();
  }
}
