import { readFile } from 'node:fs/promises';
import type { AgentProcess } from '../protocol/agent-status';

/** Who runs a process of this machine and what memory it has, as far as this user may know. */
export async function describeProcess(
  pid: number,
  about: Pick<AgentProcess, 'roles' | 'model' | 'version'>,
): Promise<AgentProcess> {
  const folder = `/proc/${pid}`;
  const [status, shared] = await Promise.all([
    readFile(`${folder}/status`, 'utf8').catch(() => ''),
    readFile(`${folder}/smaps_rollup`, 'utf8').catch((error: NodeJS.ErrnoException) => error),
  ]);
  const reason =
    typeof shared === 'string'
      ? undefined
      : shared.code === 'EACCES' || shared.code === 'EPERM'
        ? 'it runs under another user'
        : `its memory cannot be read: ${shared.message}`;
  return {
    pid,
    ...about,
    uid: field(status, 'Uid'),
    rssBytes: bytes(status, 'VmRSS'),
    pssBytes: typeof shared === 'string' ? bytes(shared, 'Pss') : null,
    ...(reason === undefined ? {} : { reason }),
  };
}

function bytes(text: string, name: string): number | null {
  const kilobytes = field(text, name);
  return kilobytes === null ? null : kilobytes * 1024;
}

/** The first number of a field. */
function field(text: string, name: string): number | null {
  const match = new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text);
  return match === null ? null : Number(match[1]);
}
