import type { Readable, Writable } from 'node:stream';
import { HoneError } from '../core/error';
import { type FrameLimits, type WireFrame, WireFrameReader, writeWireFrame } from '../protocol/frame';
import { type Greeting, SUPERVISOR_FRAME } from '../protocol/supervisor-frames';
import { writeWireError } from '../protocol/wire-error';

/** How long the first frame may take, in milliseconds. */
const HELLO_LIMIT_MS = 5000;

/** What an end of a conversation that is asked makes of it. */
export interface ConversationTerms {
  /** Version of the protocol that the greeting must have. */
  readonly protocol: number;
  /** Answer to the greeting. */
  readonly greeting: Greeting;
  /** Most bytes of a frame, requests at once, and bytes of answers that nobody reads, which end it. */
  readonly frames: FrameLimits;
  readonly requests: number;
  readonly unreadBytes: number;
  /** How long it may ask nothing, in milliseconds. */
  readonly idleMs: number;
  /** The answer to a request. @throws what is sent as `failed` */
  answer(frame: WireFrame): Promise<unknown>;
  /** Takes a frame that is no request; false for one that is. @throws what ends the conversation */
  take?(frame: WireFrame): boolean;
  /** Whether it goes on though it asks nothing. */
  isBusy?(): boolean;
  /** It is over. */
  ended?(): void;
}

/** A conversation with one who asks, over any pair of streams; a socket is both. */
export class Conversation {
  private readonly input: Readable;
  private readonly output: Writable;
  private readonly terms: ConversationTerms;
  private readonly reader: WireFrameReader;
  private hasGreeted = false;
  /** Whether the other end says no more, and whether this one does not. */
  private hasEnded = false;
  private isOver = false;
  private hasFinished = false;
  private running = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(input: Readable, output: Writable, terms: ConversationTerms) {
    this.input = input;
    this.output = output;
    this.terms = terms;
    this.reader = new WireFrameReader(terms.frames, (frame) => this.take(frame));
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
    this.finish();
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
    this.finish();
    this.input.destroy();
    this.output.destroy();
  }

  private finish(): void {
    clearTimeout(this.timer);
    if (this.hasFinished) return;
    this.hasFinished = true;
    this.isOver = true;
    this.terms.ended?.();
  }

  private push(chunk: Uint8Array): void {
    if (this.isOver) return;
    try {
      this.reader.push(chunk);
    } catch (error) {
      this.refuse(error as HoneError);
    }
  }

  private take(frame: WireFrame): void {
    const { requests: limit } = this.terms;
    if (this.isOver) return;
    if (!this.hasGreeted) this.greet(frame);
    else if (this.terms.take?.(frame)) this.rest();
    else if (this.running < limit) this.begin(frame);
    else this.fail(frame.id, new HoneError('E_AGENT_BUSY', { limit, what: 'requests at once over one connection' }));
  }

  private begin(frame: WireFrame): void {
    const { id } = frame;
    clearTimeout(this.timer);
    this.running++;
    this.terms
      .answer(frame)
      .then(
        (value) => this.send(SUPERVISOR_FRAME.answer, id, value),
        (error: unknown) => this.fail(id, error),
      )
      .finally(() => {
        this.running--;
        if (this.running === 0 && this.hasEnded) this.end();
        else this.rest();
      });
  }

  /** Waits for the next request. */
  private rest(): void {
    if (this.running === 0 && !this.isOver) this.wait(this.terms.idleMs);
  }

  private greet({ kind, id, json }: WireFrame): void {
    const { protocol: expected, greeting } = this.terms;
    const { protocol } = (json ?? {}) as { readonly protocol?: unknown };
    if (kind !== SUPERVISOR_FRAME.hello || typeof protocol !== 'number') {
      this.refuse(new HoneError('E_FRAME_FORMAT', { reason: 'the first frame is no greeting' }), id);
    } else if (protocol !== expected) {
      this.refuse(new HoneError('E_PROTOCOL_VERSION', { expected, found: protocol }), id);
    } else {
      this.hasGreeted = true;
      this.send(SUPERVISOR_FRAME.answer, id, greeting);
      this.rest();
    }
  }

  /** Sends a frame, in one piece where the stream can. */
  send(kind: number, id: number, json?: unknown, payload?: readonly Uint8Array[]): void {
    if (this.isOver) return;
    this.output.cork();
    for (const piece of writeWireFrame(kind, id, json, payload)) this.output.write(piece);
    this.output.uncork();
    if (this.output.writableLength > this.terms.unreadBytes) this.destroy();
  }

  private fail(id: number, error: unknown): void {
    this.send(SUPERVISOR_FRAME.failed, id, writeWireError(error));
  }

  private wait(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (this.terms.isBusy?.() ? this.wait(ms) : this.end()), ms).unref();
  }
}
