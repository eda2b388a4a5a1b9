import { spawn } from 'node:child_process';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '../client/client';
import { HoneError } from '../core/error';
import { printable } from '../core/printable';
import { isAlive } from './is-alive';
import { makeFolder } from './make-folder';
import { writeFileAtomically } from './write-file';

/** An agent that runs in the background on this machine. */
export interface LocalAgent {
  readonly pid: number;
  readonly url: string;
  readonly model: string;
}

export interface LocalDeployment {
  readonly plan: Uint8Array;
  /** Name of the model in URLs. */
  readonly model: string;
  readonly threads: number;
  /** Path of the program's main script, which the agent runs as `serve`. */
  readonly command: string;
  readonly signal?: AbortSignal;
}

/** How long a new agent may take to answer, and an old one to stop, in milliseconds. */
const START_LIMIT_MS = 15000;
const STOP_LIMIT_MS = 8000;

/** Folder of the local agent: its plan, its log, and the note that says where it listens. HONE_STATE_DIR overrides it. */
export function localFolder(): string {
  const state = process.env.XDG_STATE_HOME ?? join(homedir(), '.local', 'state');
  return process.env.HONE_STATE_DIR ?? join(state, 'hone', 'local');
}

function logPath(): string {
  return join(localFolder(), 'agent.log');
}

function notePath(): string {
  return join(localFolder(), 'agent.json');
}

/**
 * Starts an agent for a plan as a background process of this machine. The one that ran before goes only when the new one
 * answers.
 * @throws E_AGENT_START with what it said when it does not come up; E_FILE_WRITE; E_INTERRUPTED
 */
export async function deployLocal(deployment: LocalDeployment): Promise<LocalAgent> {
  const folder = localFolder();
  await makeFolder(folder, 0o700);
  const plan = join(folder, 'agent.plan');
  await writeFileAtomically(plan, deployment.plan);
  const note = join(folder, `agent.${process.pid}.json`);
  try {
    const agent = await start(deployment, plan, note, folder);
    await stopLocal();
    await rename(note, notePath());
    return agent;
  } finally {
    await rm(note, { force: true });
  }
}

/** The agent of this machine, when one runs. */
export async function findLocal(): Promise<LocalAgent | undefined> {
  const agent = await readNote(notePath());
  return agent !== undefined && (await answers(agent)) ? agent : undefined;
}

/** What the agent that was deployed last on this machine has printed, line by line; none where none was. */
export async function localLog(): Promise<string[]> {
  const text = await readFile(logPath(), 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => printable(line, 2000));
}

/** Stops the agent of this machine; false when none ran. Running requests are answered first. */
export async function stopLocal(): Promise<boolean> {
  const agent = await readNote(notePath());
  const running = agent !== undefined && (await isOurs(agent));
  if (running) await end(agent.pid);
  await rm(notePath(), { force: true });
  return running;
}

async function start(
  { model, threads, command, signal }: LocalDeployment,
  plan: string,
  note: string,
  folder: string,
): Promise<LocalAgent> {
  const log = await open(logPath(), 'w');
  const words = [command, 'serve', plan, '--port', '0', '--name', model, '--threads', String(threads), '--note', note];
  // In its own session, so that Ctrl-C and a closed terminal do not reach it; in the folder, so that it holds no other.
  const child = spawn(process.execPath, words, { cwd: folder, detached: true, stdio: ['ignore', log.fd, log.fd] });
  const failed = new Promise<Error>((resolve) => child.once('error', resolve));
  child.unref();
  await log.close();
  const deadline = Date.now() + START_LIMIT_MS;
  while (child.exitCode === null && child.signalCode === null && Date.now() < deadline) {
    const agent = await readNote(note);
    if (agent !== undefined && agent.pid === child.pid && (await answers(agent))) return agent;
    const error = await Promise.race([failed, delay(20)]);
    if (error !== undefined) throw startError(error.message, logPath());
    if (!signal?.aborted) continue;
    child.kill();
    throw new HoneError('E_INTERRUPTED', { what: 'deploy before the agent answered' });
  }
  child.kill('SIGKILL');
  const said = (await readFile(logPath(), 'utf8').catch(() => '')).trim().replace(/^error /, '');
  throw startError(said.split('\n')[0] || `no answer within ${START_LIMIT_MS / 1000} s`, logPath());
}

function startError(reason: string, log: string): HoneError {
  return new HoneError('E_AGENT_START', { reason, log });
}

async function readNote(path: string): Promise<LocalAgent | undefined> {
  try {
    const { pid, url, model } = JSON.parse(await readFile(path, 'utf8')) as Partial<LocalAgent>;
    const valid = Number.isInteger(pid) && pid! > 1 && typeof url === 'string' && typeof model === 'string';
    return valid ? { pid: pid!, url: url!, model: model! } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the process that the note names, and no other, answers at its address. */
async function answers({ url, pid }: LocalAgent): Promise<boolean> {
  try {
    return (await connect(url).about(AbortSignal.timeout(2000))).pid === pid;
  } catch {
    return false;
  }
}

/** Whether the note's process is an agent of ours: it answers, or it hangs but was started as one. */
async function isOurs(agent: LocalAgent): Promise<boolean> {
  if (!isAlive(agent.pid)) return false;
  if (await answers(agent)) return true;
  const words = await readFile(`/proc/${agent.pid}/cmdline`, 'utf8').catch(() => '');
  return words.includes(`\0serve\0${join(localFolder(), 'agent.plan')}\0`);
}

/** Ends a process; by force when it does not go. */
async function end(pid: number): Promise<void> {
  for (const [signal, limitMs] of [
    ['SIGTERM', STOP_LIMIT_MS],
    ['SIGKILL', 2000],
  ] as const) {
    if (isAlive(pid)) process.kill(pid, signal);
    const deadline = Date.now() + limitMs;
    while (isAlive(pid)) {
      if (Date.now() > deadline) break;
      await delay(20);
    }
  }
}
