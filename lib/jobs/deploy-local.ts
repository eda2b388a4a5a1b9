import { spawn } from 'node:child_process';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../client/client';
import { HoneError } from '../core/error';
import { writeFileAtomically } from './write-file';

/** An agent that runs in the background on this machine. */
export interface LocalAgent {
  readonly pid: number;
  readonly url: string;
  readonly model: string;
}

/** Folder of the local agent: its plan, its log, and the note that says where it listens. HONE_STATE_DIR overrides it. */
export function localFolder(): string {
  const state = process.env.XDG_STATE_HOME ?? join(homedir(), '.local', 'state');
  return process.env.HONE_STATE_DIR ?? join(state, 'hone', 'local');
}

/** How long a new agent may take to answer, in milliseconds. */
const START_LIMIT_MS = 15000;

/**
 * Starts an agent for a plan as a background process of this machine, in place of the one that ran before.
 * @throws E_AGENT_UNREACHABLE with the end of its log when it does not come up
 */
export async function deployLocal(
  plan: Uint8Array,
  model: string,
  command: string,
  threads: number,
): Promise<LocalAgent> {
  const folder = localFolder();
  await stopLocal();
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${model}.plan`);
  await writeFileAtomically(path, plan);
  const note = join(folder, 'agent.json');
  const logPath = join(folder, 'agent.log');
  const log = await open(logPath, 'w');
  const options = ['serve', path, '--name', model, '--threads', String(threads), '--note', note];
  const child = spawn(process.execPath, [command, ...options], { detached: true, stdio: ['ignore', log.fd, log.fd] });
  child.unref();
  await log.close();
  const deadline = Date.now() + START_LIMIT_MS;
  while (Date.now() < deadline && child.exitCode === null) {
    const agent = await readNote(note);
    if (agent !== undefined && agent.pid === child.pid && (await answers(agent))) return agent;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  if (child.exitCode === null) child.kill();
  const text = await readFile(logPath, 'utf8').catch(() => '');
  throw new HoneError('E_AGENT_UNREACHABLE', {
    url: 'local',
    reason: text.trim().split('\n').slice(-3).join(' ') || 'it did not start',
  });
}

/** The agent of this machine, when one runs. */
export async function findLocal(): Promise<LocalAgent | undefined> {
  const agent = await readNote(join(localFolder(), 'agent.json'));
  return agent !== undefined && (await answers(agent)) ? agent : undefined;
}

/** Stops the agent of this machine; false when none ran. */
export async function stopLocal(): Promise<boolean> {
  const agent = await findLocal();
  if (agent === undefined) return false;
  process.kill(agent.pid, 'SIGTERM');
  while (await answers(agent)) await new Promise((resolve) => setTimeout(resolve, 20));
  await rm(join(localFolder(), 'agent.json'), { force: true });
  return true;
}

async function readNote(path: string): Promise<LocalAgent | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as LocalAgent;
  } catch {
    return undefined;
  }
}

async function answers({ url, model }: LocalAgent): Promise<boolean> {
  try {
    return (await connect(url).metadata(model)).name === model;
  } catch {
    return false;
  }
}
