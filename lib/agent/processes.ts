import { readFile } from 'node:fs/promises';
import type { AgentProcess } from '../protocol/agent-status';
import type { MaybeBytes, ProcessMemory } from '../telemetry/sample';

/** Who runs a process of this machine and what memory it has, as far as this user may know. */
export async function describeProcess(
  pid: number,
  about: Pick<AgentProcess, 'roles' | 'model' | 'version' | 'limitBytes'>,
): Promise<AgentProcess> {
  const { uid, pss, rss } = await readProcess(pid);
  const reason = pss.reason ?? rss.reason;
  return { pid, ...about, uid, rssBytes: rss.bytes, pssBytes: pss.bytes, ...(reason === undefined ? {} : { reason }) };
}

/** Memory of a process and its user. Reading the proportional size takes the kernel a millisecond or more, on a thread of its own. */
export async function readProcess(pid: number): Promise<ProcessMemory & { readonly uid: number | null }> {
  const folder = `/proc/${pid}`;
  const [status, shared] = await Promise.all([readText(`${folder}/status`), readText(`${folder}/smaps_rollup`)]);
  const uid = typeof status === 'string' ? numberIn(status, /^Uid:\s+(\d+)/m) : null;
  return { uid, pss: bytesOf(shared, 'Pss'), rss: bytesOf(status, 'VmRSS') };
}

/** The first number that a pattern finds; null where it finds none. */
export function numberIn(text: string, pattern: RegExp): number | null {
  const match = pattern.exec(text);
  return match === null ? null : Number(match[1]);
}

/** Bytes of a field such as VmRSS that counts kB; null where there is none. */
export function bytesIn(text: string, field: string): number | null {
  const kilobytes = numberIn(text, new RegExp(`^${field}:\\s+(\\d+)`, 'm'));
  return kilobytes === null ? null : kilobytes * 1024;
}

function readText(path: string): Promise<string | NodeJS.ErrnoException> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => error);
}

function bytesOf(text: string | NodeJS.ErrnoException, field: string): MaybeBytes {
  if (typeof text === 'string') {
    const bytes = bytesIn(text, field);
    return bytes === null ? { bytes, reason: `the system does not tell ${field}` } : { bytes };
  }
  const isClosed = text.code === 'EACCES' || text.code === 'EPERM';
  return {
    bytes: null,
    reason: isClosed ? 'it runs under another user' : `its memory cannot be read: ${text.message}`,
  };
}
