import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { connectSupervisor, type SupervisorClient } from '../../client/supervisor-client';
import { asHoneError, HoneError } from '../../core/error';
import { version } from '../../engine/version';
import { systemClock } from '../../sensors/clock';
import { openMachineSensors } from '../../sensors/machine';
import { ControlGroup } from '../control-group';
import { readToken } from '../read-token';
import { replaceFile } from '../replace-file';
import { checkSettings } from '../settings';
import { ControlServer } from '../supervisor/control-server';
import {
  RUNTIME_FOLDER,
  type SlotState,
  slotGroup,
  systemPaths,
  type WantedSlots,
  WORKERS_GROUP,
} from '../system-paths';
import { watchFile } from '../watch-file';
import { Front } from './front';
import type { Repository } from './repository';
import { SlotModels } from './slot-models';
import { slotLauncher } from './worker-launcher';

/**
 * Process of the front of an agent that systemd runs: serves what the supervisor's file says, in workers behind the sockets of their
 * slots, until SIGTERM. HONE_PORT, HONE_HOST, HONE_CORES, HONE_ORIGINS (with spaces between), HONE_TOKEN_FILE, HONE_RUNTIME,
 * HONE_WORKERS_GROUP.
 */
async function main(): Promise<void> {
  const { HONE_PORT, HONE_HOST, HONE_CORES, HONE_ORIGINS, HONE_TOKEN_FILE } = process.env;
  const { HONE_RUNTIME, HONE_WORKERS_GROUP } = process.env;
  const host = HONE_HOST || '127.0.0.1';
  const cores = wholeIn('HONE_CORES', HONE_CORES, [1, 1024]) ?? availableParallelism();
  const origins = (HONE_ORIGINS ?? '').split(/\s+/).filter(Boolean);
  checkSettings({ host, cores, origins });
  const paths = systemPaths(HONE_RUNTIME || RUNTIME_FOLDER);
  const repository = supervisorBehind(paths.supervisor);
  const front = await Front.listen({
    ...{ host, port: wholeIn('HONE_PORT', HONE_PORT, [0, 65535]) ?? 8700, cores, origins, version: version() },
    ...{ intervalMs: 1000, roles: ['front'], repository },
    token: HONE_TOKEN_FILE ? await readToken(HONE_TOKEN_FILE, 'HONE_TOKEN_FILE') : undefined,
    ...{ clock: systemClock(), sensors: openMachineSensors() },
  });
  const groups = HONE_WORKERS_GROUP || WORKERS_GROUP;
  const all = new ControlGroup(groups);
  const launcher = (slot: number) => slotLauncher(paths.worker(slot), new ControlGroup(slotGroup(groups, slot)), all);
  const models = new SlotModels(front, launcher, {}, inTurn(paths.told));
  // What an earlier front has told holds no more.
  await models.follow([]);
  let opened: Promise<void> | undefined;
  let last: Promise<void> = Promise.resolve();
  // One reading after the other, or an older one might have the last word.
  const follow = () => {
    last = last.then(async () => {
      const wanted = await readWanted(paths.wanted);
      if (wanted !== undefined && !front.isStopping) opened = models.follow(wanted.slots);
    });
    return last;
  };
  const unwatch = watchFile(paths.wanted, () => void follow());
  const service = { ...repository, status: () => front.status() };
  const control = await ControlServer.listen(paths.front, 0o660, service, front.version);
  process.stdout.write(`serving at ${front.url}\n`);
  const stop = async () => {
    unwatch();
    await Promise.all([control.close(), front.close()]);
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop());
  await follow();
  await opened;
  front.isStarting = false;
}

/** Writes what the loads do to a file, one state after the other, the last for certain. */
function inTurn(path: string): (slots: readonly SlotState[]) => void {
  let next: readonly SlotState[] | undefined;
  let isWriting = false;
  const write = async () => {
    isWriting = true;
    for (let slots = next; slots !== undefined; slots = next) {
      next = undefined;
      await replaceFile(path, `${JSON.stringify({ slots }, null, 1)}\n`).catch(say);
    }
    isWriting = false;
  };
  return (slots) => {
    next = slots;
    if (!isWriting) void write();
  };
}

/** What is to be served; undefined where the supervisor has not told yet. It writes the file as a whole. */
async function readWanted(path: string): Promise<WantedSlots | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as WantedSlots;
  } catch {
    return undefined;
  }
}

/** The supervisor, which is woken by every question. */
function supervisorBehind(path: string): Repository {
  const ask = async <T>(question: (client: SupervisorClient) => Promise<T>): Promise<T> => {
    const client = await connectSupervisor(path);
    try {
      return await question(client);
    } finally {
      client.close();
    }
  };
  return {
    index: () => ask((client) => client.list()),
    load: (model, wanted) => ask((client) => client.load(model, wanted)),
    unload: (model, wanted) => ask((client) => client.unload(model, wanted)),
  };
}

/** @throws E_OPTION_VALUE */
function wholeIn(name: string, value: string | undefined, [low, high]: readonly [number, number]): number | undefined {
  if (!value) return undefined;
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= low && number <= high) return number;
  throw new HoneError('E_OPTION_VALUE', {
    option: name,
    expected: `a whole number from ${low} to ${high}`,
    found: value,
  });
}

function say(error: unknown): void {
  const { message, hint } = asHoneError(error);
  process.stderr.write(`${message}. ${hint}\n`);
}

main().catch((error: unknown) => {
  say(error);
  process.exit(1);
});
