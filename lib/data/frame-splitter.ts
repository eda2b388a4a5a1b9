/** One frame of a stream of bytes, or what ought to be one. */
export type Piece = Frame | BrokenFrame;

export interface Frame {
  /** Where it begins, in bytes from the start of the stream. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

export interface BrokenFrame {
  readonly at: number;
  /** What is wrong with it. */
  readonly reason: string;
}

/** Cuts a stream of bytes into frames. How the stream comes in pieces changes nothing. */
export interface FrameSplitter {
  /** Frames that these bytes complete, in order; their memory is the caller's from then on. */
  push(chunk: Uint8Array): readonly Piece[];
  /** Bytes of a frame that is not complete. */
  readonly restBytes: number;
  /** Bytes that belong to no frame. */
  readonly foreignBytes: number;
}

/** Cuts a stream into frames of `bytes` bytes, each beginning `hop` bytes behind the one before (1 to `bytes`). */
export class WindowSplitter implements FrameSplitter {
  readonly foreignBytes = 0;
  private readonly bytes: number;
  private readonly hop: number;
  private filling: Uint8Array;
  private filled = 0;
  private at = 0;

  constructor(bytes: number, hop = bytes) {
    this.bytes = bytes;
    this.hop = hop;
    this.filling = new Uint8Array(bytes);
  }

  /** Bytes that no frame has had. */
  get restBytes(): number {
    return this.at === 0 ? this.filled : this.filled - (this.bytes - this.hop);
  }

  push(chunk: Uint8Array): Frame[] {
    const frames: Frame[] = [];
    for (let from = 0; from < chunk.length; ) {
      const taken = Math.min(this.bytes - this.filled, chunk.length - from);
      this.filling.set(chunk.subarray(from, from + taken), this.filled);
      this.filled += taken;
      from += taken;
      if (this.filled === this.bytes) frames.push(this.finish());
    }
    return frames;
  }

  private finish(): Frame {
    const frame = { at: this.at, bytes: this.filling };
    this.filling = new Uint8Array(this.bytes);
    this.filling.set(frame.bytes.subarray(this.hop));
    this.filled = this.bytes - this.hop;
    this.at += this.hop;
    return frame;
  }
}
