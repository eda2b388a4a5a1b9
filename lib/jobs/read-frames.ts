import { HoneError } from '../core/error';
import { foreignStream } from '../data/foreign-stream';
import type { FrameSource } from './frame-source';
import { WaitingRoom } from './waiting-room';

/** A frame as it came in. */
export interface ReadFrame {
  /** Index among all frames. */
  readonly frame: number;
  /** Where it begins, in bytes of the stream. */
  readonly at: number;
  readonly bytes: Uint8Array;
  /** When its first and its last byte came, in milliseconds. */
  readonly firstMs: number;
  readonly lastMs: number;
}

/** A frame that is none. */
export interface BrokenFrameReport extends Pick<ReadFrame, 'frame' | 'at'> {
  /** What is wrong with it. */
  readonly broken: string;
}

interface ReadOptions {
  /** Whether the stream waits while frames wait. */
  readonly everyFrame: boolean;
  readonly clock: () => number;
  readonly onBroken: (report: BrokenFrameReport) => void;
}

/** Bytes that tell what a stream is. */
const HEAD_BYTES = 128;
/** What a pipe of Linux holds, and what programs that record hold besides, in seconds: sound that comes at once when reading begins. */
const PIPE_BYTES = 2 ** 16;
const RECORDER_S = 1;
/** Clocks of microphones go a little faster or slower than ours. */
const CLOCK_ERROR = 1.01;
/** Most memory for windows of sound that wait. */
const WINDOW_BYTES = 2 ** 26;

/** Reads frames into a waiting room until the stream ends, whatever is done with them meanwhile. */
export class FrameReader {
  readonly room: WaitingRoom<ReadFrame>;
  private readonly source: FrameSource;
  private readonly options: ReadOptions;
  private frames = 0;
  private bytes = 0;
  private head = new Uint8Array(0);
  private ended = false;
  /** When bytes came that belong to frames to come: up to which place of the stream. */
  private readonly arrivals: { readonly end: number; readonly ms: number }[] = [];
  private interrupt = () => {};
  private readonly startMs: number;
  /** How long the stream was kept waiting. */
  private keptMs = 0;

  /** Begins to read. */
  constructor(stream: AsyncIterable<Uint8Array>, source: FrameSource, options: ReadOptions) {
    this.source = source;
    this.options = options;
    this.room = new WaitingRoom(placesFor(source), () => options.everyFrame || this.outrunsTime());
    this.startMs = options.clock();
    void this.read(stream).then(
      () => this.room.close(),
      (error: unknown) => this.room.fail(error),
    );
  }

  /** Reads no more. */
  stop(): void {
    this.room.close();
    this.interrupt();
  }

  /** What came in; bytes of a frame that is not whole only where the stream ended by itself. */
  counts() {
    const { restBytes, foreignBytes } = this.source.splitter;
    return { frames: this.frames, bytes: this.bytes, restBytes: this.ended ? restBytes : 0, foreignBytes };
  }

  private async read(stream: AsyncIterable<Uint8Array>): Promise<void> {
    const iterator = stream[Symbol.asyncIterator]();
    for (;;) {
      // Not `Promise.race`: a promise for the interrupt would hold on to everything that ever raced with it.
      const step = await new Promise<IteratorResult<Uint8Array> | undefined>((resolve, reject) => {
        this.interrupt = () => resolve(undefined);
        iterator.next().then(resolve, reject);
      });
      if (step === undefined || this.room.closed) break;
      if (step.done) return this.end();
      if (!(await this.take(step.value))) break;
    }
    // Where it still waits for bytes, this never comes back.
    iterator.return?.().catch(() => {});
  }

  /** Puts the frames that a chunk completes into the room; false once nobody takes any more. */
  private async take(chunk: Uint8Array): Promise<boolean> {
    const ms = this.options.clock();
    this.requireKind(chunk);
    this.bytes += chunk.length;
    this.arrivals.push({ end: this.bytes, ms });
    for (const piece of this.source.splitter.push(chunk)) {
      const { at } = piece;
      while (this.arrivals[0].end <= at) this.arrivals.shift();
      const frame = this.frames++;
      if ('reason' in piece) {
        this.options.onBroken({ frame, at, broken: piece.reason });
        continue;
      }
      const read = { frame, at, bytes: piece.bytes, firstMs: this.arrivals[0].ms, lastMs: ms };
      const beforeMs = this.options.clock();
      if (!(await this.room.put(read))) return false;
      this.keptMs += this.options.clock() - beforeMs;
    }
    return true;
  }

  /**
   * Whether sound has come faster than anybody can record it: then a file is behind it, which loses nothing by waiting. Of
   * a microphone that waits nobody would learn what was lost.
   */
  private outrunsTime(): boolean {
    const { sound } = this.source;
    if (sound === undefined) return false;
    const listenedS = (this.options.clock() - this.startMs - this.keptMs) / 1000;
    return this.bytes / (2 * sound.rate) > CLOCK_ERROR * listenedS + burstS(sound.rate);
  }

  /** @throws E_STREAM when the stream begins as something else does */
  private requireKind(chunk: Uint8Array): void {
    if (this.head.length >= HEAD_BYTES) return;
    this.head = Uint8Array.from([...this.head, ...chunk.subarray(0, HEAD_BYTES - this.head.length)]);
    const foreign = foreignStream(this.head, this.source.kind);
    if (foreign === undefined) return;
    throw new HoneError('E_STREAM', { reason: `begins as ${foreign.what}`, advice: foreign.advice });
  }

  /** @throws E_STREAM when nothing came */
  private end(): void {
    this.ended = true;
    const nothing =
      this.bytes === 0
        ? 'ended before a byte came'
        : this.source.kind === 'mjpeg' && this.frames === 0 && this.source.splitter.restBytes === 0
          ? `held no JPEG picture in ${this.bytes} bytes`
          : undefined;
    if (nothing === undefined) return;
    const advice = 'See what the program before the pipe says, and whether it writes to its standard output.';
    throw new HoneError('E_STREAM', { reason: nothing, advice });
  }
}

/** Frames that may wait: one picture, or somewhat more sound than a recorder may have kept before reading began. */
function placesFor({ sound }: FrameSource): number {
  if (sound === undefined) return 1;
  const { rate, hop, window } = sound;
  const places = Math.ceil(((burstS(rate) + 1) * rate) / hop);
  return Math.max(1, Math.min(places, Math.floor(WINDOW_BYTES / (2 * window))));
}

/** Sound that may have been recorded before reading began, in seconds. */
function burstS(rate: number): number {
  return RECORDER_S + PIPE_BYTES / (2 * rate);
}
