import type { Socket } from 'node:net';
import { HoneError } from '../../core/error';
import { type WireFrame, WireFrameReader, writeWireFrame } from '../../protocol/frame';
import { writeWireError } from '../../protocol/wire-error';
import { type OpenRequest, type RunRequest, WORKER_FRAME, workerFrameLimits } from '../worker-protocol';
import { ModelRunner } from './model-runner';

/** How long a run may go on after it was cancelled, in milliseconds: one node takes no longer. */
const CANCEL_LIMIT_MS = 5000;

/** Serves one front over one socket: opens the plan, then runs it whenever told. */
export class Worker {
  private readonly plan: string;
  private readonly socket: Socket;
  private readonly reader: WireFrameReader;
  private runner: ModelRunner | undefined;
  private running = 0;
  private cancelledMs: number | undefined;
  /** Profiles asked for during a run. */
  private asked: number[] = [];

  /** @param plan path of the plan */
  constructor(plan: string, socket: Socket) {
    this.plan = plan;
    this.socket = socket;
    this.reader = new WireFrameReader(
      workerFrameLimits(Number.MAX_SAFE_INTEGER),
      (frame) => this.take(frame),
      (bytes, kind) => this.memoryFor(bytes, kind),
    );
  }

  /** Takes bytes of the front. @throws E_FRAME_FORMAT */
  push(chunk: Uint8Array): void {
    this.reader.push(chunk);
  }

  /** Whether its plan is open: opening may take long, and nothing shows that it goes on. */
  get isOpen(): boolean {
    return this.runner !== undefined;
  }

  /** Whether a cancelled run goes on for longer than any should. */
  get isHung(): boolean {
    return this.cancelledMs !== undefined && performance.now() - this.cancelledMs > CANCEL_LIMIT_MS;
  }

  private take({ kind, id, json }: WireFrame): void {
    if (kind === WORKER_FRAME.open) this.open(id, json as OpenRequest);
    else if (kind === WORKER_FRAME.run)
      this.run(id, json as RunRequest).catch((error: unknown) => this.fail(id, error));
    else if (kind === WORKER_FRAME.cancel) this.cancel(id);
    else if (kind !== WORKER_FRAME.profile)
      throw new HoneError('E_FRAME_FORMAT', { reason: `no frame of a front has kind ${kind}` });
    else if (this.running === 0) this.sendProfile(id);
    else this.asked.push(id);
  }

  private cancel(id: number): void {
    if (id !== this.running || this.runner === undefined) return;
    this.cancelledMs ??= performance.now();
    this.runner.cancel();
  }

  private memoryFor(bytes: number, kind: number): Uint8Array {
    if (this.runner === undefined || kind !== WORKER_FRAME.run || this.running !== 0)
      throw new HoneError('E_FRAME_FORMAT', { reason: `a payload of ${bytes} bytes where none may be` });
    return this.runner.inputMemory;
  }

  private open(id: number, request: OpenRequest): void {
    try {
      this.runner ??= new ModelRunner(this.plan, request);
      this.send(writeWireFrame(WORKER_FRAME.opened, id, this.runner.describe()));
    } catch (error) {
      this.fail(id, error);
    }
  }

  private async run(id: number, { threads }: RunRequest): Promise<void> {
    if (this.runner === undefined || this.running !== 0)
      throw new HoneError('E_FRAME_FORMAT', { reason: 'a run before the last one was answered' });
    this.running = id;
    try {
      const { result, payload } = await this.runner.run(threads);
      this.send(writeWireFrame(WORKER_FRAME.result, id, result, payload));
    } finally {
      this.running = 0;
      this.cancelledMs = undefined;
      for (const waiting of this.asked.splice(0)) this.sendProfile(waiting);
    }
  }

  private sendProfile(id: number): void {
    this.send(writeWireFrame(WORKER_FRAME.profiled, id, this.runner?.profile() ?? { runs: 0, nodes: [] }));
  }

  private fail(id: number, error: unknown): void {
    this.send(writeWireFrame(WORKER_FRAME.failed, id, writeWireError(error)));
  }

  /** Writes pieces at once; the front asks for nothing more before it has them all, so their memory may be used again then. */
  private send(pieces: readonly Uint8Array[]): void {
    this.socket.cork();
    for (const piece of pieces) this.socket.write(piece);
    this.socket.uncork();
  }
}
