import { connect as dial } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { HoneError } from '../core/error';
import type { AgentStatus, RepositoryEntry } from '../protocol/agent-status';
import {
  ANSWER_LIMITS,
  type ModelRequest,
  type PlacedPlan,
  SUPERVISOR_FRAME,
  SUPERVISOR_PROTOCOL,
} from '../protocol/supervisor-frames';
import { FrameClient } from './frame-client';

/** Asks one supervisor. Its methods throw what the supervisor met, and E_AGENT_UNREACHABLE when the stream breaks. */
export interface SupervisorClient {
  list(): Promise<readonly RepositoryEntry[]>;
  /** Serves a version of a model, the newest without one; answers when it can be asked. */
  load(model: string, version?: string): Promise<void>;
  /** Serves it no more; all versions without one. */
  unload(model: string, version?: string): Promise<void>;
  status(): Promise<AgentStatus>;
  /** Serves a plan of the agent's folder; agents of a plain folder alone. */
  place(plan: PlacedPlan): Promise<void>;
  close(): void;
}

/**
 * Greets the supervisor at the other end of a pair of streams; a socket is both.
 * @param place what messages call it
 * @throws E_PROTOCOL_VERSION, E_AGENT_BUSY, E_AGENT_UNREACHABLE, E_FRAME_FORMAT
 */
export async function openSupervisor(input: Readable, output: Writable, place: string): Promise<SupervisorClient> {
  const client = new FrameClient(input, output, { place, frames: ANSWER_LIMITS });
  await client.greet(SUPERVISOR_PROTOCOL);
  return supervisorMethods(client);
}

/** What is asked of a supervisor over a connection that has been greeted. */
export function supervisorMethods(client: FrameClient): SupervisorClient {
  const change = async (kind: number, model: string, version: string | undefined): Promise<void> => {
    const request: ModelRequest = version === undefined ? { model } : { model, version };
    await client.ask(kind, request);
  };
  return {
    list: async () => (await client.ask(SUPERVISOR_FRAME.list)) as readonly RepositoryEntry[],
    load: (model, version) => change(SUPERVISOR_FRAME.load, model, version),
    unload: (model, version) => change(SUPERVISOR_FRAME.unload, model, version),
    status: async () => (await client.ask(SUPERVISOR_FRAME.status)) as AgentStatus,
    place: async (plan) => void (await client.ask(SUPERVISOR_FRAME.place, plan)),
    close: () => client.close(),
  };
}

/** The supervisor that listens on a unix socket. @throws E_AGENT_UNREACHABLE, what `openSupervisor` throws */
export async function connectSupervisor(path: string): Promise<SupervisorClient> {
  const socket = dial(path);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', ({ message }) => reject(new HoneError('E_AGENT_UNREACHABLE', { url: path, reason: message })));
  });
  return openSupervisor(socket, socket, path);
}
