import { lstat, rm } from 'node:fs/promises';
import { createServer, connect as dial, type Server } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { HoneError } from '../../core/error';
import type { AgentStatus } from '../../protocol/agent-status';
import type { WireFrame } from '../../protocol/frame';
import {
  type PlacedPlan,
  REQUEST_LIMITS,
  SUPERVISOR_FRAME,
  SUPERVISOR_PROTOCOL,
} from '../../protocol/supervisor-frames';
import { Conversation } from '../conversation';
import type { Repository } from '../front/repository';

/** What can be asked of a supervisor. */
export interface SupervisorService extends Repository {
  status(): Promise<AgentStatus>;
  /**
   * Puts a plan of its folder into the catalogue and serves it, in the place of the one that had its name and version; that goes on
   * when anything fails. Left out by those whose folder is not open to others.
   */
  place?(plan: PlacedPlan): Promise<void>;
}

/** Connections at once, requests at once on each, and bytes of answers that nobody reads, which end a connection. */
const CONNECTION_LIMIT = 16;
const REQUEST_LIMIT = 16;
const UNREAD_LIMIT = 1 << 20;
/** How long a connection may ask nothing, in milliseconds. */
const IDLE_LIMIT_MS = 60_000;

/** A conversation of a supervisor with one who asks. @param version version of Hone that it tells */
export function converse(input: Readable, output: Writable, service: SupervisorService, version: string): Conversation {
  return new Conversation(input, output, {
    protocol: SUPERVISOR_PROTOCOL,
    greeting: { protocol: SUPERVISOR_PROTOCOL, version },
    frames: REQUEST_LIMITS,
    requests: REQUEST_LIMIT,
    unreadBytes: UNREAD_LIMIT,
    idleMs: IDLE_LIMIT_MS,
    answer: (frame) => answerAsSupervisor(service, frame),
  });
}

/** The answer to a supervisor's request. @throws E_FRAME_FORMAT, what the service throws */
export async function answerAsSupervisor(service: SupervisorService, { kind, json }: WireFrame): Promise<unknown> {
  if (kind === SUPERVISOR_FRAME.list) return service.index();
  if (kind === SUPERVISOR_FRAME.status) return service.status();
  if (kind === SUPERVISOR_FRAME.place && service.place !== undefined) {
    await service.place(placementIn(json));
    return {};
  }
  if (kind !== SUPERVISOR_FRAME.load && kind !== SUPERVISOR_FRAME.unload)
    throw new HoneError('E_FRAME_FORMAT', { reason: `no request has kind ${kind}` });
  const { model, version } = modelIn(json);
  await (kind === SUPERVISOR_FRAME.load ? service.load(model, version) : service.unload(model, version));
  return {};
}

function busyError(limit: number, what: string): HoneError {
  return new HoneError('E_AGENT_BUSY', { limit, what });
}

/** @throws E_FRAME_FORMAT */
function modelIn(json: unknown): { readonly model: string; readonly version: string | undefined } {
  const { model, version, ...others } = (json ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof model !== 'string') throw new HoneError('E_FRAME_FORMAT', { reason: "a request needs the text 'model'" });
  if (version !== undefined && typeof version !== 'string')
    throw new HoneError('E_FRAME_FORMAT', { reason: "'version' is text" });
  const [other] = Object.keys(others);
  if (other === undefined) return { model, version };
  throw new HoneError('E_FRAME_FORMAT', { reason: `'${other.slice(0, 100)}' is not known here` });
}

/** What is to be placed; what its keys may hold is the catalogue's matter. @throws E_FRAME_FORMAT */
function placementIn(json: unknown): PlacedPlan {
  const placed = (json ?? {}) as Readonly<Record<string, unknown>>;
  const missing = ['name', 'version', 'plan'].find((key) => typeof placed[key] !== 'string');
  if (missing === undefined) return placed as unknown as PlacedPlan;
  throw new HoneError('E_FRAME_FORMAT', { reason: `a placement needs the text '${missing}'` });
}

/** A supervisor's socket. */
export class ControlServer {
  private readonly server: Server;
  private readonly conversations = new Set<Conversation>();

  private constructor(service: SupervisorService, version: string, counted: (connections: number) => void) {
    this.server = createServer({ allowHalfOpen: true }, (socket) => {
      const conversation = converse(socket, socket, service, version);
      if (this.conversations.size >= CONNECTION_LIMIT) {
        conversation.refuse(busyError(CONNECTION_LIMIT, 'connections to the supervisor'));
        return;
      }
      this.conversations.add(conversation);
      counted(this.conversations.size);
      socket.once('close', () => {
        this.conversations.delete(conversation);
        counted(this.conversations.size);
      });
    });
  }

  /**
   * Listens on a socket that systemd made.
   * @param counted told how many connections there are whenever that changes
   * @throws E_AGENT_PORT when the descriptor is no such socket
   */
  static async adopt(
    fd: number,
    service: SupervisorService,
    version: string,
    counted: (connections: number) => void,
  ): Promise<ControlServer> {
    const control = new ControlServer(service, version, counted);
    try {
      await new Promise<void>((resolve, reject) => {
        control.server.once('error', reject);
        control.server.listen({ fd }, resolve);
      });
    } catch (error) {
      const address = `descriptor ${fd}`;
      throw new HoneError('E_AGENT_PORT', { address, reason: (error as Error).message }, { cause: error });
    }
    return control;
  }

  /**
   * Listens on a unix socket.
   * @param mode who may ask: 0o600, the user alone, or 0o660, the group too
   * @throws E_AGENT_PORT when the path cannot be had
   */
  static async listen(path: string, mode: number, service: SupervisorService, version: string): Promise<ControlServer> {
    const control = new ControlServer(service, version, () => {});
    const { server } = control;
    const attempt = () =>
      new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        // The socket must not be open to others for a moment.
        const before = process.umask(0o777 & ~mode);
        try {
          server.listen(path, () => {
            server.off('error', reject);
            resolve();
          });
        } finally {
          process.umask(before);
        }
      });
    try {
      await attempt().catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EADDRINUSE' || !(await isForsaken(path))) throw error;
        // Of an agent that was killed.
        await rm(path);
        await attempt();
      });
    } catch (error) {
      throw new HoneError('E_AGENT_PORT', { address: path, reason: (error as Error).message }, { cause: error });
    }
    return control;
  }

  /** Listens no more; what is asked already is not waited for. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const conversation of this.conversations) conversation.end();
    await closed;
  }
}

/** Whether a path is a socket at which nobody listens. */
async function isForsaken(path: string): Promise<boolean> {
  if (!(await lstat(path)).isSocket()) return false;
  return new Promise((resolve) => {
    const socket = dial(path, () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED'));
  });
}
