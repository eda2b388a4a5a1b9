import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { describeCpu } from '../lib/engine/session';
import { version } from '../lib/engine/version';
import { loadRuntime } from '../lib/reference/runtime';

/** Folder of the package, whether this file runs from the sources or from dist. */
export const ROOT: string = packageRoot(__dirname);

/** Where and with what a figure was measured; part of every result line. */
export interface Environment {
  /** ISO 8601, UTC. */
  readonly date: string;
  /** Short hash, with `+` when the working tree differs from it; null outside a repository. */
  readonly commit: string | null;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryBytes: number;
    /** Instruction sets that the native kernels may use. */
    readonly instructionSets: string;
    /** Runnable processes over the last minute: well above 0 at the start of a run means a busy machine. */
    readonly load1: number;
    readonly platform: string;
  };
  readonly versions: { readonly hone: string; readonly node: string; readonly onnxruntime: string };
}

/** The environment now. @throws E_ADDON_MISSING, E_REFERENCE_MISSING */
export function describeEnvironment(): Environment {
  return {
    date: new Date().toISOString(),
    commit: commit(),
    machine: {
      cpu: cpus()[0]?.model.trim() ?? 'unknown',
      cores: availableParallelism(),
      memoryBytes: totalmem(),
      instructionSets: describeCpu(),
      load1: Number(loadavg()[0].toFixed(2)),
      platform: `${process.platform}-${process.arch}`,
    },
    versions: {
      hone: version(),
      node: process.versions.node,
      onnxruntime: loadRuntime().env.versions.node ?? 'unknown',
    },
  };
}

/** The environment as one line for people. */
export function environmentLine({ commit: hash, machine, versions }: Environment): string {
  const cpu = `${machine.cpu}, ${machine.cores} cores, ${machine.instructionSets}, load ${machine.load1}`;
  return `${cpu}; commit ${hash ?? 'unknown'}; node ${versions.node}, onnxruntime ${versions.onnxruntime}`;
}

function commit(): string | null {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    // Results of earlier runs are not part of what is measured.
    const changed = git('status', '--porcelain', '--untracked-files=no', '--', '.', ':!bench/results') !== '';
    return git('rev-parse', '--short', 'HEAD') + (changed ? '+' : '');
  } catch {
    return null;
  }
}

function packageRoot(folder: string): string {
  const above = dirname(folder);
  return above === folder || existsSync(join(folder, 'package.json')) ? folder : packageRoot(above);
}
