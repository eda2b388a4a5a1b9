import { HoneError } from '../../core/error';
import { type WireFrame, WireFrameReader, writeWireFrame } from '../../protocol/frame';
import { readWireError } from '../../protocol/wire-error';
import {
  type Opened,
  type OpenRequest,
  type Profiled,
  paddedBytes,
  payloadPlaces,
  type RunRequest,
  WORKER_FRAME,
  type WorkerRunResult,
  workerFrameLimits,
} from '../worker-protocol';
import type { StartedWorker } from './worker-launcher';

/** How long a front waits for a worker, in milliseconds. */
const LIMITS = {
  /** To open its plan: packing large weights on a small board takes a minute. */
  openMs: 180_000,
  /** To end a run after a cancel; the worker's own watchdog comes first. */
  cancelMs: 15_000,
  /** To end its process after its socket. */
  endMs: 1000,
};
type Limits = Readonly<typeof LIMITS>;
const ZEROS = new Uint8Array(64);

/** What a run gave. */
export interface WorkerAnswer {
  /** Nanoseconds inside the engine, as the worker tells; never more than the front has seen. */
  readonly computeNs: number;
  /** By output of the plan: its shape and its bytes. */
  readonly outputs: readonly { readonly shape: readonly number[]; readonly bytes: Uint8Array }[];
}

/** A run under way. */
export interface WorkerRun {
  /** Rejects with E_WORKER_ENDED; what a run throws; E_INTERRUPTED after `cancel`. */
  readonly answer: Promise<WorkerAnswer>;
  /** Ends it before its next node. */
  cancel(): void;
}

interface Pending {
  readonly resolve: (frame: WireFrame) => void;
  readonly reject: (error: HoneError) => void;
}

/** A worker that has opened its plan: one run at a time. Nothing that it says is trusted. */
export class WorkerLink {
  /** What the plan takes and gives. */
  readonly about: Opened;
  /** Its number, if the system tells it. */
  readonly pid: number | undefined;
  private readonly worker: StartedWorker;
  private readonly channel: Channel;
  private readonly payloadBytes: number;
  private readonly limits: Limits;

  private constructor(worker: StartedWorker, channel: Channel, about: Opened, limits: Limits) {
    this.worker = worker;
    this.channel = channel;
    this.about = about;
    this.pid = worker.pid();
    this.limits = limits;
    this.payloadBytes = payloadPlaces(about.inputs.map(({ bytes }) => bytes)).length;
    channel.payloadLimit = payloadPlaces(about.outputs.map(({ bytes }) => bytes)).length;
  }

  /**
   * Has a worker open its plan.
   * @param changes limits that are others, where they should pass sooner
   * @throws what opening throws; E_WORKER_ENDED when it ends meanwhile or takes too long
   */
  static async open(worker: StartedWorker, request: OpenRequest, changes: Partial<Limits> = {}): Promise<WorkerLink> {
    const limits = { ...LIMITS, ...changes };
    const channel = new Channel(worker, limits.endMs);
    const { openMs } = limits;
    const limit = setTimeout(() => channel.end(`it has not opened its plan in ${openMs / 1000} s`), openMs);
    try {
      const { json } = await channel.ask(WORKER_FRAME.open, request);
      return new WorkerLink(worker, channel, json as Opened, limits);
    } catch (error) {
      channel.end('its plan does not open');
      throw error;
    } finally {
      clearTimeout(limit);
    }
  }

  /** Bytes of memory that the system lets it have; null without a bound. */
  get limitBytes(): number | null {
    return this.worker.limitBytes();
  }

  /** Settles with how the worker ended, once it has. */
  get ended(): Promise<string> {
    return this.channel.ended;
  }

  /**
   * One run; one more may be sent while it is under way, and begins when it is done.
   * @param inputs pieces of every input of the plan, in its order, of its bytes together
   */
  run(inputs: readonly (readonly Uint8Array[])[], threads: number): WorkerRun {
    const request: RunRequest = { threads };
    const begun = process.hrtime.bigint();
    const answer = this.channel.ask(WORKER_FRAME.run, request, this.payloadOf(inputs));
    const id = this.channel.lastId;
    let isOver = false;
    const read = async () => {
      try {
        const { json, payload } = await answer;
        return this.read(json as WorkerRunResult, payload, Number(process.hrtime.bigint() - begun));
      } finally {
        isOver = true;
      }
    };
    const cancel = () => {
      if (isOver) return;
      this.channel.send(WORKER_FRAME.cancel, id);
      setTimeout(() => {
        if (!isOver) this.channel.end('an inference hangs');
      }, this.limits.cancelMs).unref();
    };
    return { answer: read(), cancel };
  }

  /** What nodes have cost so far; waits for the end of a run that is under way. @throws E_WORKER_ENDED */
  async profile(): Promise<Profiled> {
    return (await this.channel.ask(WORKER_FRAME.profile)).json as Profiled;
  }

  /** Ends the worker. */
  close(): void {
    this.channel.end('it was told to end');
  }

  private payloadOf(inputs: readonly (readonly Uint8Array[])[]): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    let length = 0;
    for (const [index, parts] of inputs.entries()) {
      const size = parts.reduce((sum, { length: bytes }) => sum + bytes, 0);
      const { bytes, name } = this.about.inputs[index];
      if (size !== bytes) throw new HoneError('E_INPUT_LENGTH', { name, expected: bytes, found: size });
      pieces.push(...parts, ZEROS.subarray(0, paddedBytes(size) - size));
      length += paddedBytes(size);
    }
    if (length !== this.payloadBytes) throw new HoneError('E_INTERNAL', { message: 'a run without all of its inputs' });
    return pieces;
  }

  private read({ computeNs, shapes }: WorkerRunResult, payload: Uint8Array, seenNs: number): WorkerAnswer {
    const { outputs } = this.about;
    let offset = 0;
    const found = outputs.map(({ name, bytes, shape, counted }, index) => {
      const actual = counted === undefined ? shape : checkedShape(shapes?.[index], shape, counted, name);
      const size = (bytes / elements(shape)) * elements(actual);
      const start = offset;
      offset += paddedBytes(size);
      return { shape: actual, bytes: payload.subarray(start, start + size) };
    });
    if (offset !== payload.length) throw new HoneError('E_FRAME_FORMAT', { reason: 'outputs of another size' });
    return { computeNs: plausible(computeNs, seenNs), outputs: found };
  }
}

/** Frames of one worker: questions with their answers, until it ends. */
class Channel {
  readonly ended: Promise<string>;
  /** Most bytes that outputs may have. */
  payloadLimit = 0;
  lastId = 0;
  private readonly worker: StartedWorker;
  private readonly pending = new Map<number, Pending>();
  private fault: string | undefined;
  private isOver = false;

  constructor(worker: StartedWorker, endLimitMs: number) {
    this.worker = worker;
    const { socket } = worker;
    const reader = new WireFrameReader(
      workerFrameLimits(Number.MAX_SAFE_INTEGER),
      (frame) => this.take(frame),
      (bytes) => this.memoryFor(bytes),
    );
    socket.on('data', (chunk) => {
      try {
        if (!this.isOver) reader.push(chunk);
      } catch (error) {
        this.end((error as Error).message);
      }
    });
    socket.on('error', () => {});
    const closed = new Promise<void>((resolve) => socket.once('close', resolve));
    // The process tells more than its socket, a moment later.
    const silent = closed.then(
      () => new Promise<string>((tell) => setTimeout(tell, endLimitMs, 'it closed its socket').unref()),
    );
    this.ended = Promise.race([worker.ended, silent]).then((how) => this.fault ?? how);
    void this.ended.then((how) => this.failAll(how));
    void closed.then(() => worker.kill());
  }

  /** Sends a frame; its answer has the id of `lastId`. */
  ask(kind: number, json?: unknown, payload?: readonly Uint8Array[]): Promise<WireFrame> {
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      if (this.isOver) return reject(endedError(this.fault ?? 'it has ended'));
      this.pending.set(id, { resolve, reject });
      this.send(kind, id, json, payload);
    });
  }

  send(kind: number, id: number, json?: unknown, payload?: readonly Uint8Array[]): void {
    const { socket } = this.worker;
    socket.cork();
    for (const piece of writeWireFrame(kind, id, json, payload)) socket.write(piece);
    socket.uncork();
  }

  /** Ends the worker for a reason of ours, which everybody who waits is told. */
  end(fault: string): void {
    if (this.isOver) return;
    this.fault = fault;
    this.failAll(fault);
    this.worker.socket.destroy();
    this.worker.kill();
  }

  private memoryFor(bytes: number): Uint8Array {
    if (bytes > this.payloadLimit)
      throw new HoneError('E_FRAME_FORMAT', {
        reason: `a payload of ${bytes} bytes where ${this.payloadLimit} may be`,
      });
    return new Uint8Array(bytes);
  }

  private take(frame: WireFrame): void {
    const waiting = this.pending.get(frame.id);
    if (waiting === undefined) throw new HoneError('E_FRAME_FORMAT', { reason: 'an answer that nobody asked for' });
    this.pending.delete(frame.id);
    if (frame.kind === WORKER_FRAME.failed)
      waiting.reject(readWireError(frame.json, 'a worker failed without a reason'));
    else waiting.resolve(frame);
  }

  private failAll(how: string): void {
    this.isOver = true;
    const error = endedError(how);
    for (const { reject } of this.pending.values()) reject(error);
    this.pending.clear();
  }
}

function endedError(reason: string): HoneError {
  return new HoneError('E_WORKER_ENDED', { reason });
}

function checkedShape(
  found: readonly number[] | undefined,
  shape: readonly number[],
  counted: number,
  name: string,
): readonly number[] {
  const fits =
    Array.isArray(found) &&
    found.length === shape.length &&
    shape.every((dim, axis) =>
      axis === counted ? Number.isInteger(found[axis]) && found[axis] >= 0 && found[axis] <= dim : found[axis] === dim,
    );
  if (!fits) throw new HoneError('E_FRAME_FORMAT', { reason: `output ${name} has a shape that it cannot have` });
  return found;
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

function plausible(computeNs: unknown, seenNs: number): number {
  return typeof computeNs === 'number' && computeNs >= 0 ? Math.min(computeNs, seenNs) : seenNs;
}
