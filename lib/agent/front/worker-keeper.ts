import { HoneError } from '../../core/error';
import type { OpenRequest } from '../worker-protocol';
import type { WorkerLauncher } from './worker-launcher';
import { WorkerLink } from './worker-link';

/** Delays before a worker that answered nothing is started again, in milliseconds: the first, doubled each time, up to the last. */
const FIRST_DELAY_MS = 100;
const LAST_DELAY_MS = 30_000;

/** Where a worker stands. */
export type WorkerState = 'starting' | 'ready' | 'waiting' | 'failed' | 'closed';

export interface WorkerStatus {
  readonly state: WorkerState;
  /** Process number, while it is ready. */
  readonly pid: number | null;
  /** How often it was started again. */
  readonly restarts: number;
  /** Why the last one ended; null when none has. */
  readonly reason: string | null;
  /** Milliseconds until the next is started; 0 when none waits. */
  readonly retryMs: number;
}

export interface KeeperEvents {
  /** A worker is ready to run. */
  ready(link: WorkerLink): void;
  /** The worker has ended, `how`; another follows unless the keeper was closed. */
  ended(how: string): void;
}

/**
 * Keeps a worker alive: one that ends is started again, at once where it had answered, else after a delay that grows. A plan that
 * does not open is not tried again.
 */
export class WorkerKeeper {
  private readonly launcher: WorkerLauncher;
  private readonly request: OpenRequest;
  private readonly events: KeeperEvents;
  private link: WorkerLink | undefined;
  private state: WorkerState = 'starting';
  private restarts = 0;
  private reason: string | null = null;
  /** Workers since the last that answered anything. */
  private fruitless = 0;
  private retryAtMs = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(launcher: WorkerLauncher, request: OpenRequest, events: KeeperEvents) {
    this.launcher = launcher;
    this.request = request;
    this.events = events;
  }

  /** Starts the first worker. @throws what opening the plan throws, E_WORKER_START, E_WORKER_ENDED */
  async start(): Promise<WorkerLink> {
    try {
      return await this.launch();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get ready(): WorkerLink | undefined {
    return this.state === 'ready' ? this.link : undefined;
  }

  get status(): WorkerStatus {
    const retryMs = this.state === 'waiting' ? Math.max(0, this.retryAtMs - performance.now()) : 0;
    const pid = this.ready?.pid ?? null;
    return { state: this.state, pid, restarts: this.restarts, reason: this.reason, retryMs: Math.ceil(retryMs) };
  }

  /** Bytes that the system lets the worker have; null without a bound, or without a worker. */
  get limitBytes(): number | null {
    return this.ready?.limitBytes ?? null;
  }

  /** Says that the worker has answered a request: it is worth starting again at once. */
  proved(): void {
    this.fruitless = 0;
  }

  close(): void {
    this.state = 'closed';
    clearTimeout(this.timer);
    this.link?.close();
    this.launcher.close();
  }

  private async launch(): Promise<WorkerLink> {
    this.state = 'starting';
    const link = await WorkerLink.open(await this.launcher.start(), this.request);
    if (this.isClosed) {
      link.close();
      throw new HoneError('E_WORKER_ENDED', { reason: 'the model was unloaded' });
    }
    this.link = link;
    this.state = 'ready';
    void link.ended.then((how) => this.next(how));
    return link;
  }

  private get isClosed(): boolean {
    return this.state === 'closed';
  }

  /** A worker has ended or did not come up: the next one. */
  private next(how: string): void {
    this.link = undefined;
    if (this.isClosed) return;
    this.reason = how;
    this.restarts++;
    const delay = this.fruitless === 0 ? 0 : Math.min(FIRST_DELAY_MS * 2 ** (this.fruitless - 1), LAST_DELAY_MS);
    this.fruitless++;
    this.state = 'waiting';
    this.retryAtMs = performance.now() + delay;
    this.events.ended(how);
    this.timer = setTimeout(() => this.again(), delay);
  }

  private again(): void {
    this.launch().then(
      (link) => this.events.ready(link),
      (error: HoneError) => {
        if (this.isClosed) return;
        if (!isPermanent(error)) return this.next(error.message);
        this.state = 'failed';
        this.reason = error.message;
        this.events.ended(error.message);
      },
    );
  }
}

/** Whether trying again cannot help: the plan itself is refused. */
function isPermanent({ code }: HoneError): boolean {
  return code === 'E_PLAN_FORMAT' || code === 'E_PLAN_VERSION' || code === 'E_CPU_MASK' || code === 'E_OPTION_VALUE';
}
