import { statfs } from 'node:fs/promises';
import { availableParallelism, cpus, freemem, release, totalmem, uptime } from 'node:os';
import { asHoneError } from '../../core/error';
import { describeCpu } from '../../engine/session';
import { version } from '../../engine/version';
import type { MachineFacts } from '../../protocol/machine-facts';
import type { MachineSensors } from '../../sensors/machine';

/** What a machine, its sensors and the agent's program there tell of themselves. @param folder the agent's */
export async function machineFacts(folder: string, sensors: MachineSensors): Promise<MachineFacts> {
  const { bavail, blocks, bsize } = await statfs(folder);
  return {
    version: version(),
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    kernel: release(),
    cpu: { model: cpus()[0]?.model ?? 'unknown', count: cpus().length, usable: availableParallelism() },
    engine: engine(),
    memory: { totalBytes: totalmem(), freeBytes: freemem() },
    disk: { totalBytes: blocks * bsize, freeBytes: bavail * bsize },
    uptimeS: uptime(),
    wallMs: Date.now(),
    sources: sensors.sources.map(({ id, what, readings, reason }) => ({ id, what, readings, reason })),
    readings: sensors.read(),
  };
}

function engine(): MachineFacts['engine'] {
  try {
    return { kernels: describeCpu(), reason: null };
  } catch (error) {
    return { kernels: null, reason: asHoneError(error).message };
  }
}
