import { readdir, readFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import type { MaybeBytes, ProcessMemory } from '../../telemetry/sample';
import { bytesIn, numberIn, readProcess } from '../processes';

/** What the front takes of the machine, under the names that all clients of Prometheus give. */
export interface ProcessFigures {
  readonly cpuSeconds: number;
  /** Seconds since 1970. */
  readonly startSeconds: number;
  readonly residentBytes: number;
  /** null where the system does not tell. */
  readonly virtualBytes: number | null;
  readonly openFiles: number | null;
  readonly mostFiles: number | null;
}

const START_SECONDS = Date.now() / 1000 - process.uptime();

/** Figures of this process. */
export async function readProcessFigures(): Promise<ProcessFigures> {
  const { user, system } = process.cpuUsage();
  const [status, limits, files] = await Promise.all([
    readFile('/proc/self/status', 'utf8').catch(() => ''),
    readFile('/proc/self/limits', 'utf8').catch(() => ''),
    // The folder itself is open while it is read.
    readdir('/proc/self/fd').then(
      ({ length }) => length - 1,
      () => null,
    ),
  ]);
  return {
    cpuSeconds: (user + system) / 1e6,
    startSeconds: START_SECONDS,
    residentBytes: process.memoryUsage.rss(),
    virtualBytes: bytesIn(status, 'VmSize'),
    openFiles: files,
    mostFiles: numberIn(limits, /^Max open files\s+(\d+)/m),
  };
}

/** How long a reading of memory serves, in milliseconds: it costs the kernel something, and anybody may ask. */
const FRESH_MS = 500;

/** Memory of processes, read no more often than twice a second. */
export class ProcessMemories {
  private readonly read = new Map<number, { readonly atMs: number; readonly memory: Promise<ProcessMemory> }>();

  /** @param pid number of the process; null, none is known */
  async of(pid: number | null): Promise<ProcessMemory> {
    if (pid === null) {
      const none: MaybeBytes = { bytes: null, reason: 'no process is ready' };
      return { pss: none, rss: none };
    }
    const nowMs = performance.now();
    for (const [known, { atMs }] of this.read) if (nowMs - atMs > FRESH_MS) this.read.delete(known);
    const memory = this.read.get(pid)?.memory ?? readProcess(pid).then(({ pss, rss }) => ({ pss, rss }));
    if (!this.read.has(pid)) this.read.set(pid, { atMs: nowMs, memory });
    return memory;
  }
}

/** What the control group allows this process and its neighbours. */
export function memoryLimit(bytes = process.constrainedMemory()): MaybeBytes {
  return bytes > 0 && bytes < totalmem()
    ? { bytes }
    : { bytes: null, reason: 'no limit below the memory of the machine' };
}
