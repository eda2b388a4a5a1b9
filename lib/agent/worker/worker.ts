import type { Socket } from 'node:net';
import { HoneError } from '../../core/error';
import { type WireFrame, WireFrameReader, writeWireFrame } from '../../protocol/frame';
import { writeWireError } from '../../protocol/wire-error';
import { type OpenRequest, type RunRequest, WORKER_FRAME, workerFrameLimits } from '../worker-protocol';
import { ModelRunner, type RunAnswer } from './model-runner';

/** How long a run may go on after it was cancelled, in milliseconds: one node takes no longer. */
const CANCEL_LIMIT_MS = 5000;

interface WaitingRun {
  readonly id: number;
  readonly request: RunRequest;
  readonly payload: Uint8Array;
}

/** Serves one front over one socket: opens the plan, then runs it whenever told. */
export class Worker {
  private readonly plan: string;
  private readonly cancelLimitMs: number;
  private readonly socket: Socket;
  private readonly reader: WireFrameReader;
  private runner: ModelRunner | undefined;
  private running = 0;
  private cancelledMs: number | undefined;
  /** A run that came during another. */
  private next: WaitingRun | undefined;
  /** Profiles asked for during a run. */
  private asked: number[] = [];

  /** @param plan path of the plan */
  constructor(plan: string, socket: Socket, cancelLimitMs = CANCEL_LIMIT_MS) {
    this.plan = plan;
    this.cancelLimitMs = cancelLimitMs;
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
    return this.cancelledMs !== undefined && performance.now() - this.cancelledMs > this.cancelLimitMs;
  }

  private take({ kind, id, json, payload }: WireFrame): void {
    if (kind === WORKER_FRAME.open) this.open(id, json as OpenRequest);
    else if (kind === WORKER_FRAME.run) this.takeRun({ id, request: json as RunRequest, payload });
    else if (kind === WORKER_FRAME.cancel) this.cancel(id);
    else if (kind !== WORKER_FRAME.profile)
      throw new HoneError('E_FRAME_FORMAT', { reason: `no frame of a front has kind ${kind}` });
    else if (this.running === 0) this.sendProfile(id);
    else this.asked.push(id);
  }

  private cancel(id: number): void {
    if (this.next?.id === id) {
      this.next = undefined;
      this.fail(id, new HoneError('E_INTERRUPTED', { what: 'the inference before it began' }));
    }
    if (id !== this.running || this.runner === undefined) return;
    this.cancelledMs ??= performance.now();
    this.runner.cancel();
  }

  /** The memory of the inputs; while a run may read it, other memory for the one that may wait. */
  private memoryFor(bytes: number, kind: number): Uint8Array {
    const runner = kind === WORKER_FRAME.run ? this.runner : undefined;
    if (runner?.inputMemory.length !== bytes || this.next !== undefined)
      throw new HoneError('E_FRAME_FORMAT', { reason: `a payload of ${bytes} bytes where none may be` });
    return this.running === 0 ? runner.inputMemory : new Uint8Array(bytes);
  }

  private open(id: number, request: OpenRequest): void {
    try {
      this.runner ??= new ModelRunner(this.plan, request);
      this.send(writeWireFrame(WORKER_FRAME.opened, id, this.runner.describe()));
    } catch (error) {
      this.fail(id, error);
    }
  }

  private takeRun(run: WaitingRun): void {
    if (this.runner === undefined || this.next !== undefined)
      throw new HoneError('E_FRAME_FORMAT', { reason: 'a run that nobody can take' });
    if (this.running === 0) this.run(run, this.runner);
    else this.next = run;
  }

  /** Runs, at once where it is short: then the answer is on its way when this returns. */
  private run({ id, request, payload }: WaitingRun, runner: ModelRunner): void {
    this.running = id;
    if (payload !== runner.inputMemory) runner.inputMemory.set(payload);
    try {
      const answer = runner.run(request.threads);
      if (answer instanceof Promise)
        answer.then(
          (found) => this.answer(id, found),
          (error: unknown) => this.end(id, error),
        );
      else this.answer(id, answer);
    } catch (error) {
      this.end(id, error);
    }
  }

  private answer(id: number, { result, payload }: RunAnswer): void {
    this.send(writeWireFrame(WORKER_FRAME.result, id, result, payload));
    this.rest();
  }

  private end(id: number, error: unknown): void {
    this.fail(id, error);
    this.rest();
  }

  /** A run is over: what waited for its end. */
  private rest(): void {
    this.running = 0;
    this.cancelledMs = undefined;
    for (const waiting of this.asked.splice(0)) this.sendProfile(waiting);
    const { next } = this;
    this.next = undefined;
    if (next !== undefined) this.run(next, this.runner!);
  }

  private sendProfile(id: number): void {
    this.send(writeWireFrame(WORKER_FRAME.profiled, id, this.runner?.profile() ?? { runs: 0, nodes: [] }));
  }

  private fail(id: number, error: unknown): void {
    this.send(writeWireFrame(WORKER_FRAME.failed, id, writeWireError(error)));
  }

  /** Writes pieces at once. Their memory is used again for the run after the next, which the front sends when it has them all. */
  private send(pieces: readonly Uint8Array[]): void {
    this.socket.cork();
    for (const piece of pieces) this.socket.write(piece);
    this.socket.uncork();
  }
}
