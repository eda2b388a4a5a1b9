import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { RUNTIME_FOLDER, systemPaths } from '../agent/system-paths';
import { connectSupervisor, type SupervisorClient } from '../client/supervisor-client';
import { HoneError } from '../core/error';
import { findLocal, localFolder } from './deploy-local';
import { makeFolder } from './make-folder';

/** Folders in which agents of this user have their supervisor's sockets, the first that can be had: HONE_STATE_DIR, else those of XDG. */
function folders(): readonly string[] {
  const { HONE_STATE_DIR: own, XDG_RUNTIME_DIR: runtime } = process.env;
  if (own !== undefined || !runtime) return [localFolder()];
  return [join(runtime, 'hone'), localFolder()];
}

/** Where the agent of an HTTP port has its supervisor's socket. Folders are made. @throws E_FILE_WRITE */
export async function makeControlPath(port: number): Promise<string> {
  let fault: unknown;
  for (const folder of folders()) {
    try {
      await makeFolder(folder, 0o700);
      return join(folder, nameOf(port));
    } catch (error) {
      fault ??= error;
    }
  }
  throw fault;
}

/**
 * The supervisor of an agent of this user on this machine: of the one that answers HTTP at `url`, else of the deployed one, else of
 * the only one, else of the one that systemd runs.
 * @throws E_AGENT_UNREACHABLE when there is none, E_USAGE when there are several
 */
export async function findSupervisor(url: string | undefined, verb: string): Promise<SupervisorClient> {
  const named = url ?? (await findLocal())?.url;
  if (named !== undefined) return reach(portOf(named), named);
  const open = await openSockets();
  if (open.length === 1) return open[0].client;
  for (const { client } of open) client.close();
  if (open.length === 0) {
    const path = systemPaths(process.env.HONE_RUNTIME || RUNTIME_FOLDER).supervisor;
    if (existsSync(path)) return connectSupervisor(path);
    throw new HoneError('E_AGENT_UNREACHABLE', { url: 'local', reason: 'none runs on this machine' });
  }
  const ports = open.map(({ port }) => `http://127.0.0.1:${port}`);
  throw new HoneError('E_USAGE', { reason: `several agents run here: name one of ${ports.join(', ')}`, verb });
}

async function reach(port: number, url: string): Promise<SupervisorClient> {
  for (const folder of folders()) {
    const client = await connectSupervisor(join(folder, nameOf(port))).catch(ifUnreachable);
    if (client !== undefined) return client;
  }
  throw new HoneError('E_AGENT_UNREACHABLE', {
    url,
    reason: 'no agent of this user on this machine has that port',
  });
}

async function openSockets(): Promise<{ readonly port: number; readonly client: SupervisorClient }[]> {
  const open: { port: number; client: SupervisorClient }[] = [];
  for (const folder of folders())
    for (const name of await readdir(folder).catch(() => [])) {
      const port = /^agent-(\d+)\.sock$/.exec(name)?.[1];
      const client = port === undefined ? undefined : await connectSupervisor(join(folder, name)).catch(ifUnreachable);
      if (client !== undefined) open.push({ port: Number(port), client });
    }
  return open;
}

function nameOf(port: number): string {
  return `agent-${port}.sock`;
}

function ifUnreachable(error: unknown): undefined {
  if (error instanceof HoneError && error.code === 'E_AGENT_UNREACHABLE') return undefined;
  throw error;
}

/** The port in a URL. @throws E_OPTION_VALUE */
export function portOf(url: string): number {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol === 'http:') return Number(parsed.port || 80);
  throw new HoneError('E_OPTION_VALUE', {
    option: 'url',
    expected: 'the address of an agent, such as http://127.0.0.1:8700',
    found: url,
  });
}
