import { connect as dial } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { HoneError } from '../core/error';
import type { AgentStatus, RepositoryEntry } from '../protocol/agent-status';
import { type WireFrame, WireFrameReader, writeWireFrame } from '../protocol/frame';
import {
  ANSWER_LIMITS,
  type Hello,
  type ModelRequest,
  SUPERVISOR_FRAME,
  SUPERVISOR_PROTOCOL,
} from '../protocol/supervisor-frames';
import { readWireError } from '../protocol/wire-error';

/** Asks one supervisor. Its methods throw what the supervisor met, and E_AGENT_UNREACHABLE when the stream breaks. */
export interface SupervisorClient {
  list(): Promise<readonly RepositoryEntry[]>;
  /** Serves a version of a model, the newest without one; answers when it can be asked. */
  load(model: string, version?: string): Promise<void>;
  /** Serves it no more; all versions without one. */
  unload(model: string, version?: string): Promise<void>;
  status(): Promise<AgentStatus>;
  close(): void;
}

interface Pending {
  readonly resolve: (json: unknown) => void;
  readonly reject: (error: HoneError) => void;
}

/**
 * Greets the supervisor at the other end of a pair of streams; a socket is both.
 * @param place what messages call it
 * @throws E_PROTOCOL_VERSION, E_AGENT_BUSY, E_AGENT_UNREACHABLE, E_FRAME_FORMAT
 */
export async function openSupervisor(input: Readable, output: Writable, place: string): Promise<SupervisorClient> {
  const pending = new Map<number, Pending>();
  let lastId = 0;
  let over: HoneError | undefined;
  const end = (error: HoneError) => {
    over ??= error;
    for (const { reject } of pending.values()) reject(over);
    pending.clear();
    input.destroy();
    output.destroy();
  };
  const broken = (reason: string) => new HoneError('E_AGENT_UNREACHABLE', { url: place, reason });
  const take = ({ kind, id, json }: WireFrame) => {
    const failed = kind === SUPERVISOR_FRAME.failed;
    if (failed && id === 0) {
      end(readWireError(json, 'the supervisor refused without a reason'));
      return;
    }
    const waiting = pending.get(id);
    if (waiting === undefined || (!failed && kind !== SUPERVISOR_FRAME.answer))
      throw new HoneError('E_FRAME_FORMAT', { reason: 'an answer that nobody asked for' });
    pending.delete(id);
    if (failed) waiting.reject(readWireError(json, 'the supervisor failed without a reason'));
    else waiting.resolve(json);
  };
  const reader = new WireFrameReader(ANSWER_LIMITS, take);
  input.on('data', (chunk: Uint8Array) => {
    try {
      if (over === undefined) reader.push(chunk);
    } catch (error) {
      end(error as HoneError);
    }
  });
  for (const stream of [input, output]) stream.on('error', (error: Error) => end(broken(error.message)));
  input.on('end', () => end(broken('it ended the connection')));
  input.on('close', () => end(broken('the connection broke')));
  const ask = (kind: number, json?: Hello | ModelRequest): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (over !== undefined) return reject(over);
      const id = ++lastId;
      pending.set(id, { resolve, reject });
      for (const piece of writeWireFrame(kind, id, json)) output.write(piece);
    });
  const change = async (kind: number, model: string, version: string | undefined): Promise<void> => {
    await ask(kind, version === undefined ? { model } : { model, version });
  };
  try {
    await ask(SUPERVISOR_FRAME.hello, { protocol: SUPERVISOR_PROTOCOL });
  } catch (error) {
    end(error as HoneError);
    throw error;
  }
  return {
    list: async () => (await ask(SUPERVISOR_FRAME.list)) as readonly RepositoryEntry[],
    load: (model, version) => change(SUPERVISOR_FRAME.load, model, version),
    unload: (model, version) => change(SUPERVISOR_FRAME.unload, model, version),
    status: async () => (await ask(SUPERVISOR_FRAME.status)) as AgentStatus,
    close: () => end(broken('it was closed')),
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
