import { answerError, HoneError } from '../../core/error';
import type { ModelMemory, NodeSummary } from '../../telemetry/sample';
import type { OpenRequest, WorkerPort } from '../worker-protocol';
import { AdmissionWindow } from './admission-window';
import { classLabels } from './class-labels';
import { ModelQueue, type Waiting } from './model-queue';
import { nanoseconds } from './nanoseconds';
import { NodeTimes } from './node-times';
import { Pace } from './pace';
import { InferenceStatistics } from './statistics';
import { WorkerKeeper } from './worker-keeper';
import type { WorkerLauncher } from './worker-launcher';
import type { WorkerAnswer, WorkerLink } from './worker-link';

/** How a model is served. */
export interface ModelSettings {
  readonly name: string;
  readonly version: string;
  /** Cores that a run takes at most. */
  readonly threads: number;
  /** Requests that may wait; more are refused. */
  readonly queueLimit: number;
  /** Milliseconds within which a request is answered that says nothing else. */
  readonly timeoutMs: number;
  /** Whether the leading extent of all inputs and outputs is a batch that several requests may share. */
  readonly isBatched: boolean;
  readonly packedCache?: boolean | string;
}

/** An inference that somebody waits for. */
export interface Job extends Waiting {
  /** Bytes of every input of the model, `rows` rows of a batch. */
  readonly inputs: readonly Uint8Array[];
  /** When its first byte arrived, in nanoseconds of the monotonic clock. */
  readonly arrivalNs: number;
}

/** What came of a job. */
export interface JobAnswer {
  readonly outputs: WorkerAnswer['outputs'];
  /** From its first byte to the start of its run. */
  readonly queueNs: number;
  readonly computeNs: number;
  /** Between front and worker. */
  readonly transferNs: number;
}

/** A job that waits or runs. */
export interface Submission {
  readonly answer: Promise<JobAnswer>;
  /** Nobody waits for it any more: it leaves the queue, or the engine before its next node. */
  leave(error: HoneError): void;
}

interface Entry extends Job {
  readonly resolve: (answer: JobAnswer) => void;
  readonly reject: (error: HoneError) => void;
  readonly queuedNs: number;
  /** Runs by itself: in a batch it failed with others. */
  isAlone: boolean;
  /** Its client has its answer, or is gone. */
  isOver: boolean;
  timer: NodeJS.Timeout | undefined;
}

/** Jobs that run together. */
interface Flight {
  readonly entries: readonly Entry[];
  readonly cancel: () => void;
  /** When it began to run; undefined while it waits for the run before it. */
  startNs: number | undefined;
}

/** Runs that take no longer may follow each other without a pause between them, in nanoseconds. */
const SHORT_NS = 1e6;
/** Longest time that a timer takes, in milliseconds: some 24 days. */
const LONGEST_MS = 2 ** 31 - 1;
/** Workers that come back later than this let nobody wait, in milliseconds. */
const PATIENCE_MS = 1000;

/** Part of its time that a request is expected to take at most, where it is let in. */
const RESERVE = 0.7;

/** One version of a model: its worker, its queue, its figures. The scheduler says when it runs. */
export class ServedModel {
  readonly settings: ModelSettings;
  readonly statistics = new InferenceStatistics();
  readonly nodeTimes = new NodeTimes();
  readonly queue: ModelQueue<Entry>;
  private readonly keeper: WorkerKeeper;
  private readonly pace = new Pace();
  private readonly wake: () => void;
  private opened: WorkerLink['about'] | undefined;
  private classes: ReturnType<typeof classLabels> = [];
  /** Runs that were sent to the worker, at most two, in their order. */
  private readonly flights: Flight[] = [];
  /** In the engine, of the last run. */
  private lastNs = Number.POSITIVE_INFINITY;
  private readonly window: AdmissionWindow;

  /** @param wake called whenever it may be able to run */
  constructor(settings: ModelSettings, launcher: WorkerLauncher, profileEvery: number, wake: () => void) {
    this.settings = settings;
    this.queue = new ModelQueue(settings.queueLimit);
    this.window = new AdmissionWindow(settings.queueLimit);
    this.wake = wake;
    const { threads, packedCache } = settings;
    const request: OpenRequest = { threads, profileEvery, ...(packedCache === undefined ? {} : { packedCache }) };
    this.keeper = new WorkerKeeper(launcher, request, { ready: (link) => this.begin(link), ended: () => this.lost() });
  }

  /** Opens the plan in a first worker. @throws what opening the plan throws, E_WORKER_START, E_WORKER_ENDED, E_BATCH */
  async open(): Promise<void> {
    const link = await this.keeper.start();
    try {
      this.opened = link.about;
      if (this.settings.isBatched) this.requireBatch();
    } catch (error) {
      this.keeper.close();
      throw error;
    }
    this.begin(link);
  }

  get inputs(): readonly WorkerPort[] {
    return this.about.inputs;
  }

  get outputs(): readonly WorkerPort[] {
    return this.about.outputs;
  }

  /** Names of the classes of every output, where its plan has them. */
  get labels(): ReturnType<typeof classLabels> {
    return this.classes;
  }

  get about(): WorkerLink['about'] {
    if (this.opened === undefined) throw new HoneError('E_INTERNAL', { message: 'a model that is not open yet' });
    return this.opened;
  }

  get memory(): ModelMemory {
    const { memory } = this.about;
    return {
      weightBytes: memory.planBytes + memory.packedBytes,
      arenaBytes: memory.arenaBytes + memory.stateBytes,
      scratchBytes: memory.scratchBytes,
    };
  }

  get worker(): WorkerKeeper['status'] {
    return this.keeper.status;
  }

  get workerLimitBytes(): number | null {
    return this.keeper.limitBytes;
  }

  get isReady(): boolean {
    return this.keeper.ready !== undefined;
  }

  /** Requests that run now. */
  get running(): number {
    return this.flights.reduce((sum, { entries }) => sum + entries.length, 0);
  }

  /** Rows that one run takes; 1 where the plan has no batch. */
  get rows(): number {
    return this.settings.isBatched ? this.inputs[0].shape[0] : 1;
  }

  /**
   * Refuses what cannot be served in time, at once rather than when its time is over.
   * @throws E_QUEUE_FULL, E_MODEL_UNAVAILABLE
   */
  admit(request: Pick<Waiting, 'priority' | 'deadlineNs'>, nowNs: number): void {
    const { state, reason, retryMs } = this.keeper.status;
    if (state === 'failed' || retryMs > PATIENCE_MS) throw this.unavailable(reason ?? state, retryMs);
    const hasRoom = !this.queue.isFull && (this.queue.size < this.window.size || this.running === 0);
    // Nothing before it: it is tried in any case, for only tries tell how fast the model is now.
    if (this.countBefore(request) === 0 || (hasRoom && this.isInTime(request, nowNs))) return;
    const retryS = Math.max(1, Math.ceil(this.pace.estimate(this.queue.size + this.running) / 1e9));
    throw answerError('E_QUEUE_FULL', { model: this.settings.name, waiting: this.queue.size, retryS });
  }

  private countBefore(request: Pick<Waiting, 'priority' | 'deadlineNs'>): number {
    return this.queue.countBefore(request) + this.running;
  }

  /** Whether it would be answered before its deadline, as far as one can tell. */
  private isInTime(request: Pick<Waiting, 'priority' | 'deadlineNs'>, nowNs: number): boolean {
    return nowNs + this.pace.estimate(this.countBefore(request) + 1) / RESERVE <= request.deadlineNs;
  }

  /**
   * Queues a job, which `admit` let in. Its answer rejects with E_QUEUE_FULL, E_MODEL_UNAVAILABLE, E_DEADLINE, E_WORKER_ENDED,
   * what `leave` says, or what a run throws.
   */
  submit(job: Job): Submission {
    const queuedNs = nanoseconds();
    this.admit(job, queuedNs);
    const isInTime = this.isInTime(job, queuedNs);
    let entry!: Entry;
    const answer = new Promise<JobAnswer>((resolve, reject) => {
      entry = { ...job, resolve, reject, queuedNs, isAlone: false, isOver: false, timer: undefined };
    });
    const late = () => {
      const ms = Math.round((job.deadlineNs - job.arrivalNs) / 1e6);
      // A client that asks for what cannot be must not close the window to others.
      if (isInTime) this.window.late();
      this.leave(entry, new HoneError('E_DEADLINE', { model: this.settings.name, ms }));
    };
    entry.timer = setTimeout(late, Math.min(LONGEST_MS, Math.max(0, (job.deadlineNs - queuedNs) / 1e6)));
    this.queue.add(entry);
    this.wake();
    return { answer, leave: (error) => this.leave(entry, error) };
  }

  /** Whether it has work and a worker that does nothing. */
  get canRun(): boolean {
    return this.flights.length === 0 && this.queue.size > 0 && this.isReady;
  }

  /** Whether its next run may be sent while the last one is under way: runs are so short that the way to the worker counts. */
  get canFollow(): boolean {
    return this.flights.length === 1 && this.queue.size > 0 && this.isReady && this.lastNs < SHORT_NS;
  }

  /** Runs what comes next with so many threads, behind a run that is under way; resolves when it is over. */
  async run(threads: number): Promise<void> {
    const entries = this.queue.head!.isAlone ? this.queue.take(1) : this.queue.take(this.rows);
    const { answer, cancel } = this.keeper.ready!.run(this.gather(entries), threads);
    const flight: Flight = { entries, cancel, startNs: this.flights.length === 0 ? nanoseconds() : undefined };
    this.flights.push(flight);
    try {
      const found = await answer;
      const endNs = nanoseconds();
      this.pace.record(entries[0].queuedNs, endNs, entries.length);
      this.statistics.recordRun(entries.length, found.computeNs);
      this.keeper.proved();
      this.lastNs = found.computeNs;
      this.window.answered(entries.length);
      this.hand(flight, found, endNs);
      this.flights.splice(this.flights.indexOf(flight), 1);
      if (this.flights.length > 0) this.flights[0].startNs ??= endNs;
    } catch (error) {
      this.flights.splice(this.flights.indexOf(flight), 1);
      this.failed(flight, error as HoneError);
    }
  }

  /** Has the worker tell what its nodes cost, for the window that ended at `endNs`. */
  async readNodes(endNs: number): Promise<void> {
    const link = this.keeper.ready;
    if (link === undefined) return;
    const profile = await link.profile().catch(() => undefined);
    if (link === this.keeper.ready) this.nodeTimes.update(profile, link, endNs);
  }

  get nodes(): readonly NodeSummary[] {
    return this.nodeTimes.summaries;
  }

  /** The answer to a statistics request. */
  describeStatistics(): object {
    return this.statistics.describe(this.settings.name, this.settings.version);
  }

  /** Ends it; what waits is refused with `error`. */
  close(error: HoneError): void {
    for (const entry of [...this.queue.clear(), ...this.flights.flatMap(({ entries }) => entries)])
      this.finish(entry, () => entry.reject(error));
    this.keeper.close();
  }

  private begin(link: WorkerLink): void {
    this.opened = link.about;
    const { metadata, outputs } = link.about;
    this.classes = classLabels(
      metadata,
      outputs.map(({ name }) => name),
    );
    this.pace.seed(link.about.firstRunNs);
    this.window.begin(link.about.firstRunNs, this.settings.timeoutMs);
    this.wake();
  }

  /** The worker has ended: those who would wait long for the next are told so now. */
  private lost(): void {
    const { reason, retryMs, state } = this.keeper.status;
    if (state !== 'failed' && retryMs <= PATIENCE_MS) return;
    for (const entry of this.queue.clear())
      this.finish(entry, () => entry.reject(this.unavailable(reason ?? state, retryMs)));
  }

  private unavailable(reason: string, retryMs: number): HoneError {
    const retryS = Math.max(1, Math.ceil(retryMs / 1000));
    return new HoneError('E_MODEL_UNAVAILABLE', { model: this.settings.name, reason, retryS });
  }

  private requireBatch(): void {
    const { inputs, outputs } = this.about;
    const rows = inputs[0]?.shape[0] ?? 0;
    const odd = [...inputs, ...outputs].find(({ shape, counted }) => shape[0] !== rows || counted === 0);
    if (rows > 1 && odd === undefined) return;
    const found = odd === undefined ? `a leading extent of ${rows}` : `${odd.name} of shape [${odd.shape}]`;
    throw new HoneError('E_BATCH', { model: this.settings.name, found });
  }

  /** Inputs of a batch: the rows of its jobs one after the other, then zeros. */
  private gather(batch: readonly Entry[]): Uint8Array[][] {
    if (!this.settings.isBatched) return batch[0].inputs.map((bytes) => [bytes]);
    return this.inputs.map(({ bytes }, index) => {
      const parts = batch.map(({ inputs }) => inputs[index]);
      const missing = bytes - parts.reduce((sum, { length }) => sum + length, 0);
      return missing === 0 ? parts : [...parts, new Uint8Array(missing)];
    });
  }

  private hand({ entries, startNs = 0 }: Flight, answer: WorkerAnswer, endNs: number): void {
    let row = 0;
    const { computeNs } = answer;
    for (const entry of entries) {
      const outputs = this.settings.isBatched ? rowsOf(answer.outputs, row, entry.rows) : answer.outputs;
      row += entry.rows;
      const transferNs = endNs - startNs - computeNs;
      this.finish(entry, () => entry.resolve({ outputs, queueNs: startNs - entry.arrivalNs, computeNs, transferNs }));
    }
  }

  private failed({ entries, startNs }: Flight, error: HoneError): void {
    const waiting = entries.filter(({ isOver }) => !isOver);
    const isDead = error.code === 'E_WORKER_ENDED';
    // One bad input must not fail those that ran beside it; what had not begun when the worker died did not kill it.
    if (isDead ? startNs === undefined : waiting.length > 1) {
      for (const entry of waiting) {
        entry.isAlone = !isDead;
        this.queue.add(entry);
      }
    } else for (const entry of waiting) this.finish(entry, () => entry.reject(error));
    if (!isDead && this.flights.length > 0) this.flights[0].startNs ??= nanoseconds();
  }

  /** Nobody waits for this job any more. */
  private leave(entry: Entry, error: HoneError): void {
    if (entry.isOver) return;
    this.finish(entry, () => entry.reject(error));
    if (this.queue.remove(entry)) return;
    for (const { entries, cancel } of this.flights) if (entries.every(({ isOver }) => isOver)) cancel();
  }

  private finish(entry: Entry, tell: () => void): void {
    if (entry.isOver) return;
    entry.isOver = true;
    clearTimeout(entry.timer);
    tell();
  }
}

/** Rows of every output. */
function rowsOf(outputs: WorkerAnswer['outputs'], first: number, count: number): WorkerAnswer['outputs'] {
  return outputs.map(({ shape, bytes }) => {
    const rowBytes = bytes.length / shape[0];
    return { shape: [count, ...shape.slice(1)], bytes: bytes.slice(first * rowBytes, (first + count) * rowBytes) };
  });
}
