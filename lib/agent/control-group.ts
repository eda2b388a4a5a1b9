import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the kernel shows control groups of version 2. */
const ROOT = '/sys/fs/cgroup';

/** A control group of version 2: what the kernel itself tells of processes, whatever they say. */
export class ControlGroup {
  private readonly folder: string;
  private killsTaken: number;

  /** @param folder where the kernel shows it; it may come to be later, or not at all */
  constructor(folder: string) {
    this.folder = folder;
    this.killsTaken = this.kills() ?? 0;
  }

  /** That of this process; files are given where they are others. */
  static own(membership = '/proc/self/cgroup', root = ROOT): ControlGroup {
    const path = /^0::(\/.*)$/m.exec(readText(membership))?.[1] ?? '';
    return new ControlGroup(join(root, path));
  }

  /** The first process in it; undefined where there is none. */
  get pid(): number | undefined {
    return this.numberIn('cgroup.procs', /^(\d+)$/m);
  }

  /** Bytes that it may have; null without a bound. */
  get limitBytes(): number | null {
    return this.numberIn('memory.max', /^(\d+)$/m) ?? null;
  }

  /**
   * Whether the kernel has ended a process, in it or below, for want of memory: each such end is told once. Undefined where the
   * kernel does not tell.
   */
  takeKill(): boolean | undefined {
    const kills = this.kills();
    if (kills === undefined) return undefined;
    // A group that was made anew counts from 0.
    if (kills < this.killsTaken) this.killsTaken = 0;
    if (kills <= this.killsTaken) return false;
    this.killsTaken++;
    return true;
  }

  private kills(): number | undefined {
    return this.numberIn('memory.events', /^oom_kill (\d+)$/m);
  }

  private numberIn(file: string, pattern: RegExp): number | undefined {
    const found = pattern.exec(readText(join(this.folder, file)))?.[1];
    return found === undefined ? undefined : Number(found);
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
