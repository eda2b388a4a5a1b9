import { lstat, rm } from 'node:fs/promises';
import { createServer, connect as dial, type Server } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { HoneError } from '../../core/error';
import type { AgentStatus } from '../../protocol/agent-status';
import { type WireFrame, WireFrameReader, writeWireFrame } from '../../protocol/frame';
import { type Greeting, REQUEST_LIMITS, SUPERVISOR_FRAME, SUPERVISOR_PROTOCOL } from '../../protocol/supervisor-frames';
import { writeWireError } from '../../protocol/wire-error';
import type { Repository } from '../front/repository';

/** What can be asked of a supervisor. */
export interface SupervisorService extends Repository {
  status(): Promise<AgentStatus>;
}

/** Connections at once, requests at once on each, and bytes of answers that nobody reads, which end a connection. */
const CONNECTION_LIMIT = 16;
const REQUEST_LIMIT = 16;
const UNREAD_LIMIT = 1 << 20;
/** How long the first frame may take, and how long a connection may ask nothing, in milliseconds. */
const HELLO_LIMIT_MS = 5000;
const IDLE_LIMIT_MS = 60_000;

/** A conversation with one who asks, over any pair of streams; a socket is both. */
export class ControlConversation {
  private readonly input: Readable;
  private readonly output: Writable;
  private readonly service: SupervisorService;
  private readonly version: string;
  private readonly reader = new WireFrameReader(REQUEST_LIMITS, (frame) => this.take(frame));
  private hasGreeted = false;
  /** Whether the other end says no more, and whether this one does not. */
  private hasEnded = false;
  private isOver = false;
  private running = 0;
  private timer: NodeJS.Timeout | undefined;

  /** @param version version of Hone that it tells */
  constructor(input: Readable, output: Writable, service: SupervisorService, version: string) {
    this.input = input;
    this.output = output;
    this.service = service;
    this.version = version;
    input.on('data', (chunk: Uint8Array) => this.push(chunk));
    for (const stream of [input, output]) {
      stream.on('error', () => this.destroy());
      stream.on('close', () => this.destroy());
    }
    // Whoever says no more still gets the answers.
    input.on('end', () => {
      if (this.running === 0) this.end();
      else this.hasEnded = true;
    });
    this.wait(HELLO_LIMIT_MS);
  }

  /** Ends it after what is answered already. */
  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    clearTimeout(this.timer);
    this.output.end(() => this.input.destroy());
    // Who reads nothing is not waited for.
    this.timer = setTimeout(() => this.destroy(), HELLO_LIMIT_MS).unref();
  }

  /** Refuses everything, for a reason of ours. */
  refuse(error: HoneError, id = 0): void {
    this.fail(id, error);
    this.end();
  }

  private destroy(): void {
    this.isOver = true;
    clearTimeout(this.timer);
    this.input.destroy();
    this.output.destroy();
  }

  private push(chunk: Uint8Array): void {
    if (this.isOver) return;
    try {
      this.reader.push(chunk);
    } catch (error) {
      this.refuse(error as HoneError);
    }
  }

  private take({ kind, id, json }: WireFrame): void {
    if (this.isOver) return;
    if (!this.hasGreeted) this.greet(kind, id, json);
    else if (this.running < REQUEST_LIMIT) this.begin(kind, id, json);
    else this.fail(id, busyError(REQUEST_LIMIT, 'requests at once over one connection'));
  }

  private begin(kind: number, id: number, json: unknown): void {
    clearTimeout(this.timer);
    this.running++;
    this.answer(kind, json)
      .then(
        (value) => this.send(SUPERVISOR_FRAME.answer, id, value),
        (error: unknown) => this.fail(id, error),
      )
      .finally(() => {
        this.running--;
        if (this.running > 0) return;
        if (this.hasEnded) this.end();
        else if (!this.isOver) this.wait(IDLE_LIMIT_MS);
      });
  }

  private greet(kind: number, id: number, json: unknown): void {
    const { protocol } = (json ?? {}) as { readonly protocol?: unknown };
    if (kind !== SUPERVISOR_FRAME.hello || typeof protocol !== 'number') {
      this.refuse(new HoneError('E_FRAME_FORMAT', { reason: 'the first frame is no greeting' }), id);
    } else if (protocol !== SUPERVISOR_PROTOCOL) {
      this.refuse(new HoneError('E_PROTOCOL_VERSION', { expected: SUPERVISOR_PROTOCOL, found: protocol }), id);
    } else {
      this.hasGreeted = true;
      const greeting: Greeting = { protocol: SUPERVISOR_PROTOCOL, version: this.version };
      this.send(SUPERVISOR_FRAME.answer, id, greeting);
      this.wait(IDLE_LIMIT_MS);
    }
  }

  private async answer(kind: number, json: unknown): Promise<unknown> {
    if (kind === SUPERVISOR_FRAME.list) return this.service.index();
    if (kind === SUPERVISOR_FRAME.status) return this.service.status();
    if (kind !== SUPERVISOR_FRAME.load && kind !== SUPERVISOR_FRAME.unload)
      throw new HoneError('E_FRAME_FORMAT', { reason: `no request has kind ${kind}` });
    const { model, version } = modelIn(json);
    await (kind === SUPERVISOR_FRAME.load ? this.service.load(model, version) : this.service.unload(model, version));
    return {};
  }

  private send(kind: number, id: number, json: unknown): void {
    if (this.isOver) return;
    for (const piece of writeWireFrame(kind, id, json)) this.output.write(piece);
    if (this.output.writableLength > UNREAD_LIMIT) this.destroy();
  }

  private fail(id: number, error: unknown): void {
    this.send(SUPERVISOR_FRAME.failed, id, writeWireError(error));
  }

  private wait(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.end(), ms).unref();
  }
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

/** A supervisor's socket. */
export class ControlServer {
  private readonly server: Server;
  private readonly conversations = new Set<ControlConversation>();

  private constructor(service: SupervisorService, version: string, counted: (connections: number) => void) {
    this.server = createServer({ allowHalfOpen: true }, (socket) => {
      const conversation = new ControlConversation(socket, socket, service, version);
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
