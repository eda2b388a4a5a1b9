import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ServedAgent } from './served';

/** A way in which a worker ends. */
export interface WorkerEnd {
  /** Why it cannot be had on this machine; undefined where it can. */
  prevented?(): string | undefined;
  /** Makes a control group in which the agent is to be. */
  makeGroup?(): string;
  /** Ends the worker of an agent; when it ended, in milliseconds since 1970. */
  end(agent: ServedAgent): number | Promise<number>;
  /** For how long there is load, in seconds: until it ends even on a busy machine. */
  readonly seconds: number;
  /** Nodes of the model, some 2 ms each: the quicker the runs, the sooner they want memory. */
  readonly nodes: number;
  /** What the status says of it. */
  readonly reason: RegExp;
}

const GROUPS = '/sys/fs/cgroup';
/** Longest that an end may take, in milliseconds. */
const END_LIMIT_MS = 10_000;

export const WORKER_ENDS: Readonly<Record<string, WorkerEnd>> = {
  SIGKILL: { seconds: 3, nodes: 5, end: (agent) => signal(agent, 'SIGKILL'), reason: /SIGKILL/ },
  SIGSEGV: { seconds: 3, nodes: 5, end: (agent) => signal(agent, 'SIGSEGV'), reason: /SIGSEGV/ },
  'limit of address space': {
    seconds: 8,
    nodes: 1,
    prevented: () => (spawnSync('prlimit', ['--version']).status === 0 ? undefined : 'there is no prlimit'),
    end: async (agent) => {
      const [worker] = agent.workers;
      const { status, stderr } = spawnSync('prlimit', ['--pid', String(worker), '--as=1'], { encoding: 'utf8' });
      if (status !== 0) throw new Error(`prlimit: ${stderr}`);
      return untilGone(worker);
    },
    reason: /memory|allocat/i,
  },
  'limit of its control group': {
    seconds: 3,
    nodes: 5,
    prevented: () => {
      try {
        accessSync(GROUPS, constants.W_OK);
        if (readFileSync(join(GROUPS, 'cgroup.subtree_control'), 'utf8').split(/\s+/).includes('memory'))
          return undefined;
      } catch {}
      return 'no control groups of version 2 with memory that may be made here';
    },
    makeGroup,
    end: endInGroup,
    reason: /^ended by the system for memory$/,
  },
};

function signal(agent: ServedAgent, name: NodeJS.Signals): number {
  process.kill(agent.workers[0], name);
  return Date.now();
}

/** The time when a process is gone. */
async function untilGone(pid: number): Promise<number> {
  for (const end = Date.now() + END_LIMIT_MS; Date.now() < end; await delay(1))
    if (!existsSync(`/proc/${pid}`)) return Date.now();
  throw new Error(`process ${pid} goes on`);
}

function makeGroup(): string {
  const group = join(GROUPS, `hone-bench-${process.pid}`);
  mkdirSync(group);
  writeFileSync(join(group, 'memory.swap.max'), '0');
  return group;
}

/**
 * Lets the group of an agent have less for a moment than its processes hold and cannot give back: the kernel chooses whom it ends,
 * and the limit is gone when the next worker starts.
 */
function endInGroup(agent: ServedAgent): Promise<number> {
  const [worker] = agent.workers;
  const anonymous = /^anon (\d+)$/m.exec(readFileSync(join(agent.group!, 'memory.stat'), 'utf8'));
  const own = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${worker}/status`, 'utf8'));
  const limit = Math.round(Number(anonymous![1]) - (Number(own![1]) * 1024) / 2);
  for (const text of [String(limit), 'max']) writeFileSync(join(agent.group!, 'memory.max'), text);
  return untilGone(worker);
}
