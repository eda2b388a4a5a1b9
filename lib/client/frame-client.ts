import type { Readable, Writable } from 'node:stream';
import { HoneError } from '../core/error';
import { type FrameLimits, type WireFrame, WireFrameReader, writeWireFrame } from '../protocol/frame';
import { type Greeting, SUPERVISOR_FRAME } from '../protocol/supervisor-frames';
import { readWireError } from '../protocol/wire-error';

interface Pending {
  readonly resolve: (json: unknown) => void;
  readonly reject: (error: HoneError) => void;
}

export interface FrameClientOptions {
  /** What messages call the other end. */
  readonly place: string;
  /** Most bytes of a frame from there. */
  readonly frames: FrameLimits;
  /** Takes a frame that is no answer; false for one that nobody asked for. @throws what ends the connection */
  readonly take?: (frame: WireFrame) => boolean;
  /** The connection has ended. */
  readonly ended?: (error: HoneError) => void;
}

/**
 * Asks the other end of a pair of streams, a socket being both, by frames: any number of requests at once. Whatever breaks the
 * connection is E_AGENT_UNREACHABLE for all that is open.
 */
export class FrameClient {
  private readonly input: Readable;
  private readonly output: Writable;
  private readonly options: FrameClientOptions;
  private readonly pending = new Map<number, Pending>();
  private lastId = 0;
  private over: HoneError | undefined;

  constructor(input: Readable, output: Writable, options: FrameClientOptions) {
    this.input = input;
    this.output = output;
    this.options = options;
    const reader = new WireFrameReader(options.frames, (frame) => this.take(frame));
    input.on('data', (chunk: Uint8Array) => {
      try {
        if (this.over === undefined) reader.push(chunk);
      } catch (error) {
        this.end(error as HoneError);
      }
    });
    for (const stream of [input, output]) stream.on('error', ({ message }: Error) => this.break(message));
    input.on('end', () => this.break('it ended the connection'));
    input.on('close', () => this.break('the connection broke'));
  }

  /** Greets the other end. @throws E_PROTOCOL_VERSION, E_AGENT_BUSY, E_AGENT_UNREACHABLE, E_FRAME_FORMAT */
  async greet(protocol: number): Promise<Greeting> {
    try {
      return (await this.ask(SUPERVISOR_FRAME.hello, { protocol })) as Greeting;
    } catch (error) {
      this.end(error as HoneError);
      throw error;
    }
  }

  /** Sends a request. @throws what the other end met; E_AGENT_UNREACHABLE */
  ask(kind: number, json?: unknown, payload?: readonly Uint8Array[], id = this.nextId()): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.over !== undefined) return reject(this.over);
      this.pending.set(id, { resolve, reject });
      this.send(kind, id, json, payload);
    });
  }

  /** A number that no other request of this connection has. */
  nextId(): number {
    this.lastId++;
    return this.lastId;
  }

  /** Sends a frame, in one piece where the stream can. */
  send(kind: number, id: number, json?: unknown, payload?: readonly Uint8Array[]): void {
    if (this.over !== undefined) return;
    this.output.cork();
    for (const piece of writeWireFrame(kind, id, json, payload)) this.output.write(piece);
    this.output.uncork();
  }

  close(): void {
    this.break('it was closed');
  }

  private break(reason: string): void {
    this.end(new HoneError('E_AGENT_UNREACHABLE', { url: this.options.place, reason }));
  }

  private end(error: HoneError): void {
    if (this.over !== undefined) return;
    this.over = error;
    for (const { reject } of this.pending.values()) reject(error);
    this.pending.clear();
    this.input.destroy();
    this.output.destroy();
    this.options.ended?.(error);
  }

  private take(frame: WireFrame): void {
    const { kind, id, json } = frame;
    const failed = kind === SUPERVISOR_FRAME.failed;
    if (failed && id === 0) {
      this.end(readWireError(json, `${this.options.place} refused without a reason`));
      return;
    }
    const waiting = failed || kind === SUPERVISOR_FRAME.answer ? this.pending.get(id) : undefined;
    if (waiting === undefined) {
      if (this.options.take?.(frame)) return;
      throw new HoneError('E_FRAME_FORMAT', { reason: 'an answer that nobody asked for' });
    }
    this.pending.delete(id);
    if (failed) waiting.reject(readWireError(json, `${this.options.place} failed without a reason`));
    else waiting.resolve(json);
  }
}
