import { HoneError } from '../core/error';

/**
 * The framed protocol between parts of an agent, over any stream of bytes. A frame is a head of 16 bytes, JSON, then a payload;
 * the head, little endian: bytes of the payload (u32), bytes of the JSON (u32), id (u32), kind (u8), three zero bytes.
 */
export interface WireFrame {
  /** What it means; each pair of partners has its own numbers, 1 to 255. */
  readonly kind: number;
  /** Number of the request that it belongs to; the answer has the same. */
  readonly id: number;
  /** Null where the frame has none. */
  readonly json: unknown;
  readonly payload: Uint8Array;
}

/** Most bytes that a partner may send in one frame. */
export interface FrameLimits {
  readonly jsonBytes: number;
  readonly payloadBytes: number;
}

const HEAD_BYTES = 16;
const NO_BYTES = new Uint8Array(0);

/**
 * The bytes of a frame: head and JSON, then the pieces of its payload, which are not copied.
 * @param json left out: a frame without JSON
 */
export function writeWireFrame(
  kind: number,
  id: number,
  json?: unknown,
  payload: readonly Uint8Array[] = [],
): Uint8Array[] {
  const text = json === undefined ? NO_BYTES : new TextEncoder().encode(JSON.stringify(json));
  const head = new Uint8Array(HEAD_BYTES + text.length);
  const view = new DataView(head.buffer);
  view.setUint32(
    0,
    payload.reduce((sum, piece) => sum + piece.length, 0),
    true,
  );
  view.setUint32(4, text.length, true);
  view.setUint32(8, id, true);
  head[12] = kind;
  head.set(text, HEAD_BYTES);
  return [head, ...payload.filter((piece) => piece.length > 0)];
}

/** Cuts a stream into frames, however its bytes are divided into chunks. Of bytes that it was given it keeps copies only. */
export class WireFrameReader {
  private readonly limits: FrameLimits;
  private readonly onFrame: (frame: WireFrame) => void;
  private readonly allocate: (bytes: number, kind: number) => Uint8Array;
  private readonly head = new Uint8Array(HEAD_BYTES);
  private readonly view = new DataView(this.head.buffer);
  /** Parts of the frame under way: head, JSON, payload. */
  private parts: readonly Uint8Array[] = [this.head];
  private part = 0;
  private filled = 0;

  /**
   * @param allocate memory for a payload; fresh where left out. It may hand out the same memory again for the next frame.
   */
  constructor(
    limits: FrameLimits,
    onFrame: (frame: WireFrame) => void,
    allocate: (bytes: number, kind: number) => Uint8Array = (bytes) => new Uint8Array(bytes),
  ) {
    this.limits = limits;
    this.onFrame = onFrame;
    this.allocate = allocate;
  }

  /** Takes the next bytes and hands on every frame that they complete. @throws E_FRAME_FORMAT: the stream is lost then */
  push(chunk: Uint8Array): void {
    let position = 0;
    while (position < chunk.length) {
      const target = this.parts[this.part];
      const count = Math.min(target.length - this.filled, chunk.length - position);
      target.set(chunk.subarray(position, position + count), this.filled);
      position += count;
      this.filled += count;
      if (this.filled === target.length) this.endPart();
    }
  }

  private endPart(): void {
    if (this.part === 0) this.parts = [this.head, ...this.memoryOf()];
    this.filled = 0;
    do this.part++;
    while (this.part < this.parts.length && this.parts[this.part].length === 0);
    if (this.part < this.parts.length) return;
    const [, text, payload] = this.parts;
    const frame = { kind: this.head[12], id: this.view.getUint32(8, true), json: parse(text), payload };
    this.parts = [this.head];
    this.part = 0;
    this.onFrame(frame);
  }

  private memoryOf(): Uint8Array[] {
    const payloadBytes = this.view.getUint32(0, true);
    const jsonBytes = this.view.getUint32(4, true);
    if (this.head[12] === 0 || this.head[13] !== 0 || this.head[14] !== 0 || this.head[15] !== 0)
      throw badFrame('the head is none');
    if (jsonBytes > this.limits.jsonBytes)
      throw badFrame(`${jsonBytes} bytes of JSON where ${this.limits.jsonBytes} may be`);
    if (payloadBytes > this.limits.payloadBytes)
      throw badFrame(`a payload of ${payloadBytes} bytes where ${this.limits.payloadBytes} may be`);
    const payload = payloadBytes === 0 ? NO_BYTES : this.allocate(payloadBytes, this.head[12]);
    if (payload.length !== payloadBytes) throw badFrame(`a payload of ${payloadBytes} bytes, not ${payload.length}`);
    return [new Uint8Array(jsonBytes), payload];
  }
}

function parse(text: Uint8Array): unknown {
  if (text.length === 0) return null;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text)) as unknown;
  } catch {
    throw badFrame('its JSON is none');
  }
}

function badFrame(reason: string): HoneError {
  return new HoneError('E_FRAME_FORMAT', { reason });
}
