import { Duplex } from 'node:stream';
import { HoneError } from '../core/error';
import { BOARD_FRAME, BOARD_LIMITS, TUNNEL_CHUNK_BYTES } from '../protocol/board-frames';
import { readCredit } from '../protocol/board-requests';
import type { WireFrame } from '../protocol/frame';

/** Sends a frame to the other end. */
export type SendFrame = (kind: number, id: number, json?: unknown, payload?: readonly Uint8Array[]) => void;

/** So many bytes are taken before the other end is told: a frame for each read would cost more than it says. */
const CREDIT_STEP = BOARD_LIMITS.tunnelBytes / 4;

/**
 * One end of a tunnel: a stream whose bytes go as frames of a connection that others share. Neither end has more than
 * `tunnelBytes` under way, so that a slow one fills no memory and stops no other.
 */
export class Tunnel extends Duplex {
  readonly id: number;
  private readonly transmit: SendFrame;
  private readonly whenOver: () => void;
  /** Bytes that may be sent, that may come, and that were taken and not told yet. */
  private credit = BOARD_LIMITS.tunnelBytes;
  private room = BOARD_LIMITS.tunnelBytes;
  private taken = 0;
  private readonly arrived: (Uint8Array | null)[] = [];
  private isRead = false;
  /** The other end sends no more, and knows that the tunnel is over. */
  private hasEnded = false;
  private isOverThere = false;
  private waiting: { rest: Uint8Array; readonly done: () => void } | undefined;

  /** @param ended it is over at this end */
  constructor(id: number, transmit: SendFrame, ended: () => void) {
    super({ allowHalfOpen: true, readableHighWaterMark: TUNNEL_CHUNK_BYTES });
    this.id = id;
    this.transmit = transmit;
    this.whenOver = ended;
  }

  /** Takes a frame of this tunnel. @throws E_FRAME_FORMAT when the other end breaks the rules */
  accept({ kind, json, payload }: WireFrame): void {
    if (kind === BOARD_FRAME.data) {
      if (this.hasEnded) throw broken('a tunnel sends more after its end');
      if (payload.length > this.room) throw broken('a tunnel sends more than it may');
      this.room -= payload.length;
      this.arrived.push(payload);
      this.deliver();
    } else if (kind === BOARD_FRAME.end) {
      this.hasEnded = true;
      this.arrived.push(null);
      this.deliver();
    } else if (kind === BOARD_FRAME.credit) {
      this.credit += readCredit(json);
      if (this.credit > BOARD_LIMITS.tunnelBytes) throw broken('a tunnel gets more credit than it used');
      this.flush();
    } else this.lose(new HoneError('E_AGENT_UNREACHABLE', { url: 'the tunnel', reason: 'it was closed there' }));
  }

  /** Ends it without a word to the other end, which knows. What has arrived whole is still handed on. */
  lose(error: HoneError): void {
    this.isOverThere = true;
    if (!this.hasEnded) this.destroy(error);
    else if (this.readableEnded) this.destroy();
    else this.once('end', () => this.destroy());
  }

  // What sockets have and a stream over another has no use for.
  setKeepAlive(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setTimeout(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }

  override _read(): void {
    this.isRead = true;
    this.deliver();
  }

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.waiting = { rest: chunk, done };
    this.flush();
  }

  /** Small writes that came together go as one frame. */
  override _writev(chunks: { readonly chunk: Uint8Array }[], done: () => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), '', done);
  }

  override _final(done: () => void): void {
    this.transmit(BOARD_FRAME.end, this.id);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const isDone = this.hasEnded && this.writableFinished;
    if (!this.isOverThere && !isDone) this.transmit(BOARD_FRAME.close, this.id);
    this.arrived.length = 0;
    this.waiting = undefined;
    this.whenOver();
    done(error);
  }

  private flush(): void {
    const { waiting } = this;
    if (waiting === undefined) return;
    while (waiting.rest.length > 0 && this.credit > 0) {
      const count = Math.min(waiting.rest.length, this.credit, TUNNEL_CHUNK_BYTES);
      this.credit -= count;
      this.transmit(BOARD_FRAME.data, this.id, undefined, [waiting.rest.subarray(0, count)]);
      waiting.rest = waiting.rest.subarray(count);
    }
    if (waiting.rest.length > 0) return;
    this.waiting = undefined;
    waiting.done();
  }

  private deliver(): void {
    while (this.isRead && this.arrived.length > 0) {
      const chunk = this.arrived.shift()!;
      if (chunk !== null) this.count(chunk.length);
      this.isRead = this.push(chunk);
    }
  }

  private count(bytes: number): void {
    this.taken += bytes;
    if (this.taken < CREDIT_STEP) return;
    this.room += this.taken;
    this.transmit(BOARD_FRAME.credit, this.id, { bytes: this.taken });
    this.taken = 0;
  }
}

/** The tunnels of a connection. */
export class Tunnels {
  private readonly transmit: SendFrame;
  private readonly open = new Map<number, Tunnel>();

  constructor(transmit: SendFrame) {
    this.transmit = transmit;
  }

  get size(): number {
    return this.open.size;
  }

  /** @throws E_AGENT_BUSY, E_FRAME_FORMAT for an id that is taken */
  add(id: number): Tunnel {
    const { tunnels: limit } = BOARD_LIMITS;
    if (this.open.size >= limit) throw new HoneError('E_AGENT_BUSY', { limit, what: 'tunnels at once' });
    if (this.open.has(id)) throw broken('a tunnel is opened twice');
    const tunnel = new Tunnel(id, this.transmit, () => this.open.delete(id));
    this.open.set(id, tunnel);
    return tunnel;
  }

  /** Takes a frame of a tunnel; false for others. One that is over here may still get some. @throws E_FRAME_FORMAT */
  take(frame: WireFrame): boolean {
    if (frame.kind < BOARD_FRAME.data || frame.kind > BOARD_FRAME.close) return false;
    this.open.get(frame.id)?.accept(frame);
    return true;
  }

  /** The connection is over. */
  drop(error: HoneError): void {
    for (const tunnel of [...this.open.values()]) tunnel.lose(error);
  }
}

function broken(reason: string): HoneError {
  return new HoneError('E_FRAME_FORMAT', { reason });
}
