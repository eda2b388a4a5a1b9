import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFile, writeFileSync } from 'node:fs';
import { connect as dial, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HoneError, readError } from '../../core/error';
import { ControlGroup } from '../control-group';
import { partCommand } from '../parts';
import { memoryLimit } from './process-figures';

/** A worker process that was started, before it has opened its plan. */
export interface StartedWorker {
  readonly socket: Socket;
  /** Its number, if the system tells it: what a worker says of itself may be false. */
  readonly pid: () => number | undefined;
  /** Bytes of memory that the system lets it have; null without a bound. */
  readonly limitBytes: () => number | null;
  /** Ends it at once. */
  kill(): void;
  /** How it ended, as far as that can be known. */
  readonly ended: Promise<string>;
}

/** Starts the worker of one model version, again whenever it has ended. */
export interface WorkerLauncher {
  /** @throws E_WORKER_START */
  start(): Promise<StartedWorker>;
  /** Ends what the launcher holds; workers go on. */
  close(): void;
}

/** Memory of a worker is that of its plan: its JavaScript needs little. */
const NODE_FLAGS = ['--max-semi-space-size=1', '--v8-pool-size=1'];
/** Characters of what a worker said that are kept. */
const SAID_LIMIT = 2000;
/** Where memory is short the kernel ends workers before their front, as OOMScoreAdjust of their unit has it. */
const OOM_SCORE = '500';

/**
 * Starts workers as children of this process. They get the plan, bytes or a file, as an open file, read-only, and see no path of it.
 * @param group that of this process and its children
 * @throws E_FILE_NOT_FOUND, E_FILE_ACCESS, E_FILE_FOLDER, E_FILE_WRITE
 */
export function childLauncher(plan: Uint8Array | string, group = ControlGroup.own()): WorkerLauncher {
  const file = typeof plan === 'string' ? openPlan(plan) : holdPlan(plan);
  return {
    start: () => startChild(file, group),
    close: () => closeSync(file),
  };
}

/**
 * Reaches the worker that systemd starts when somebody connects to the socket of its slot.
 * @param group that of the worker
 * @param all that of all workers, which counts on when the group of one has gone with it
 */
export function slotLauncher(path: string, group: ControlGroup, all: ControlGroup): WorkerLauncher {
  return {
    start: () =>
      new Promise((resolve, reject) => {
        const socket = dial(path);
        const refuse = (error: Error) =>
          reject(new HoneError('E_WORKER_START', { reason: error.message }, { cause: error }));
        socket.once('error', refuse);
        socket.once('connect', () => {
          socket.off('error', refuse);
          const ended = new Promise<string>((tell) => {
            const how = () => (all.takeKill() ? NO_MEMORY : 'it closed its socket; the journal of its unit says why');
            socket.once('close', () => tell(how()));
          });
          const about = { pid: () => group.pid, limitBytes: () => group.limitBytes };
          resolve({ socket, ...about, kill: () => void socket.destroy(), ended });
        });
      }),
    close: () => {},
  };
}

function openPlan(plan: string): number {
  try {
    return openSync(plan, 'r');
  } catch (error) {
    throw readError(plan, error);
  }
}

/** A file without a name, which goes with the last process that has it open. */
function holdPlan(plan: Uint8Array): number {
  const folder = mkdtempSync(join(tmpdir(), 'hone-plan-'));
  try {
    const path = join(folder, 'model.plan');
    writeFileSync(path, plan, { mode: 0o400 });
    return openSync(path, 'r');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function startChild(plan: number, group: ControlGroup): Promise<StartedWorker> {
  return new Promise((resolve, reject) => {
    const { script, args } = partCommand('worker');
    const child = spawn(process.execPath, [...NODE_FLAGS, script, ...args, '/proc/self/fd/4'], {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', plan],
      env: { ...process.env, UV_THREADPOOL_SIZE: '1', NODE_OPTIONS: '', LISTEN_FDS: undefined },
    });
    let [said, fatal] = ['', ''];
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      fatal ||= FATAL.exec(said)?.[1] ?? '';
      said = said.slice(-SAID_LIMIT);
    });
    const ended = new Promise<string>((tell) => {
      child.once('close', (code, signal) => {
        const isForMemory = signal === 'SIGKILL' && group.takeKill();
        tell(isForMemory ? NO_MEMORY : endText(code, signal, fatal || said));
      });
    });
    child.once('error', (error) =>
      reject(new HoneError('E_WORKER_START', { reason: error.message }, { cause: error })),
    );
    child.once('spawn', () => {
      writeFile(`/proc/${child.pid}/oom_score_adj`, OOM_SCORE, () => {});
      const about = { pid: () => child.pid, limitBytes: () => memoryLimit().bytes };
      resolve({ socket: child.stdio[3] as Socket, ...about, kill: () => void child.kill('SIGKILL'), ended });
    });
  });
}

/** The kernel has counted it. */
const NO_MEMORY = 'ended by the system for memory';
/** What V8 says before it ends its process; a trace of the stack follows. */
const FATAL = /^FATAL ERROR: (.*)$/m;

/** How a process ended, with the last line that it said. */
function endText(code: number | null, signal: NodeJS.Signals | null, said: string): string {
  const how = signal === null ? `exit code ${code}` : `signal ${signal}${MEANING[signal] ?? ''}`;
  const last = said.trim().split('\n').at(-1);
  return last ? `${how}: ${last}` : how;
}

const MEANING: Readonly<Record<string, string>> = {
  SIGKILL: ' (killed, perhaps for memory)',
  SIGALRM: ' (it hung, its watchdog ended it)',
};
