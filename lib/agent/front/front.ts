import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { asHoneError, HoneError } from '../../core/error';
import type { AgentRole, AgentStatus } from '../../protocol/agent-status';
import type { Clock } from '../../sensors/clock';
import type { MachineSensors } from '../../sensors/machine';
import { describeProcess } from '../processes';
import type { FrontState } from './front-state';
import { sendError } from './http/answer';
import { Body } from './http/body';
import { Connections, createHttpServer } from './http/connections';
import { readHead } from './http/head';
import { HTTP_LIMITS, type HttpLimits } from './http/limits';
import { answerPreflight, checkOrigin } from './http/origin';
import { Uploads } from './http/uploads';
import { JsonThread } from './json-thread';
import { nanoseconds } from './nanoseconds';
import { PROFILE_EVERY } from './node-times';
import { memoryLimit } from './process-figures';
import type { Repository } from './repository';
import { ROUTES } from './routes';
import { Scheduler } from './scheduler';
import { type ModelSettings, ServedModel } from './served-model';
import { ServedModels } from './served-models';
import { Telemetry } from './telemetry';
import type { WorkerLauncher } from './worker-launcher';

export interface FrontOptions {
  /** Loopback address to listen on. */
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  readonly version: string;
  /** Cores that inferences may take, over all models. */
  readonly cores: number;
  /** Milliseconds between telemetry frames. */
  readonly intervalMs: number;
  /** Exact origins whose pages may ask. */
  readonly origins: readonly string[];
  /** What this process does, for its status. */
  readonly roles: readonly AgentRole[];
  readonly repository: Repository;
  readonly token: string | undefined;
  /** What connections may take, where it is other than `HTTP_LIMITS`. */
  readonly limits?: Partial<HttpLimits>;
  readonly clock: Clock;
  readonly sensors: MachineSensors;
}

/** How long requests may go on once the front stops, in milliseconds. */
const GRACE_MS = 5000;
/** What was sent before the front was told to stop has arrived when nothing came for so long, or after so long at most. */
const QUIET_MS = 50;
const SETTLE_MS = 500;

/** The one HTTP port of an agent: protocol, health, metrics, telemetry, queues. It opens no plan. */
export class Front implements FrontState {
  readonly models = new ServedModels();
  readonly json = new JsonThread();
  readonly limits: HttpLimits;
  readonly uploads: Uploads;
  readonly url: string;
  isStarting = true;
  readonly telemetry: Telemetry;
  isStopping = false;
  private readonly options: FrontOptions;
  private readonly server: Server;
  private readonly connections: Connections;
  private readonly scheduler: Scheduler;
  private readonly origins: ReadonlySet<string>;
  private readonly begunNs = nanoseconds();
  /** Models that were replaced and answer what they were asked before. */
  private readonly leaving = new Set<ServedModel>();
  private closing: Promise<void> | undefined;

  private constructor(options: FrontOptions, server: Server) {
    this.options = options;
    this.limits = limitsOf(options);
    this.uploads = new Uploads(this.limits.uploadBytes);
    this.server = server;
    this.origins = new Set(options.origins);
    this.scheduler = new Scheduler(options.cores);
    this.connections = new Connections(server, this.limits, (error) => this.telemetry.refused(error));
    server.on('request', (request, response) => this.take(request, response));
    const { version, intervalMs, clock, sensors } = options;
    const { models, connections, uploads } = this;
    const { cores } = this.scheduler;
    this.telemetry = new Telemetry(
      { version, intervalMs, clock, sensors, models, connections, uploads, cores },
      server,
    );
    const { address, port, family } = server.address() as AddressInfo;
    this.url = `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  /** Listens. @throws E_AGENT_PORT when the port cannot be had */
  static async listen(options: FrontOptions): Promise<Front> {
    const { host, port } = options;
    const server = createHttpServer(limitsOf(options));
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, resolve);
      });
    } catch (error) {
      const reason = (error as Error).message;
      throw new HoneError('E_AGENT_PORT', { address: `${host}:${port}`, reason }, { cause: error });
    }
    return new Front(options, server);
  }

  get version(): string {
    return this.options.version;
  }

  get repository(): Repository {
    return this.options.repository;
  }

  get token(): string | undefined {
    return this.options.token;
  }

  /**
   * Serves a version of a model from now on. One of that name and version is served until then, and answers what it was asked before.
   * @throws what `ServedModel.open` throws
   */
  async load(settings: ModelSettings, launcher: WorkerLauncher): Promise<void> {
    const model = new ServedModel(settings, launcher, PROFILE_EVERY, this.scheduler.wake);
    await model.open();
    const before = this.models.remove(settings.name, settings.version);
    this.models.add(model);
    this.scheduler.add(model);
    if (before === undefined) return;
    this.leaving.add(before);
    const begunNs = nanoseconds();
    const timer = setInterval(() => {
      const isIdle = before.queue.size === 0 && before.running === 0;
      if (this.leaving.has(before) && !isIdle && nanoseconds() - begunNs < GRACE_MS * 1e6) return;
      clearInterval(timer);
      if (!this.leaving.delete(before)) return;
      this.scheduler.remove(before);
      before.close(
        new HoneError('E_MODEL_UNAVAILABLE', { model: settings.name, reason: 'it was replaced', retryS: 1 }),
      );
    }, QUIET_MS);
    timer.unref();
  }

  /** Serves it no more: what waits for it is refused. @throws E_MODEL_UNKNOWN */
  unload(name: string, version: string): void {
    const model = this.models.find(name, version);
    this.models.remove(name, version);
    this.scheduler.remove(model);
    model.close(new HoneError('E_MODEL_UNAVAILABLE', { model: name, reason: 'it was unloaded', retryS: 1 }));
  }

  async status(): Promise<AgentStatus> {
    const { cores } = this.scheduler;
    const models = this.models.all();
    const workers = models.flatMap(({ settings: { name, version }, worker: { pid }, workerLimitBytes: limitBytes }) =>
      pid === null ? [] : [describeProcess(pid, { roles: ['worker'], model: name, version, limitBytes })],
    );
    const [processes, repository] = await Promise.all([
      Promise.all([
        describeProcess(process.pid, { roles: this.options.roles, limitBytes: memoryLimit().bytes }),
        ...workers,
      ]),
      this.repository.index().catch(asHoneError),
    ]);
    return {
      pid: process.pid,
      url: this.url,
      version: this.version,
      uptimeS: (nanoseconds() - this.begunNs) / 1e9,
      stopping: this.isStopping,
      cores: { total: cores.total, free: cores.free },
      connections: this.connections.size,
      uploads: this.uploads.count,
      models: models.map((model) => ({
        name: model.settings.name,
        version: model.settings.version,
        ...model.worker,
        waiting: model.queue.size,
        running: model.running,
        memory: model.memory,
      })),
      ...(repository instanceof HoneError
        ? { repository: null, repositoryReason: repository.message }
        : { repository }),
      processes,
    };
  }

  /**
   * Stops: what was sent before is answered, for up to 5 s, or refused in words; new inferences are refused; then connections are
   * closed from our end first.
   */
  close(): Promise<void> {
    this.closing ??= this.stop();
    return this.closing;
  }

  private async stop(): Promise<void> {
    const begun = performance.now();
    const elapsed = () => performance.now() - begun;
    this.isStopping = true;
    this.telemetry.close();
    // Connections that wait to be accepted and bytes that wait to be read come first, so that what was sent before is seen.
    do await delay(5);
    while (this.connections.size > 0 && this.connections.quietMs() < QUIET_MS && elapsed() < SETTLE_MS);
    while (this.isBusy && elapsed() < GRACE_MS) await delay(5);
    this.uploads.stop(new HoneError('E_AGENT_STOPPING'));
    for (const model of this.all()) {
      this.scheduler.remove(model);
      model.close(new HoneError('E_AGENT_STOPPING'));
    }
    this.leaving.clear();
    this.json.close();
    await delay(0);
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    await this.connections.close();
    await closed;
  }

  /** Models that have work to end. */
  private all(): readonly ServedModel[] {
    return [...this.models.all(), ...this.leaving];
  }

  private get isBusy(): boolean {
    if (this.uploads.count + this.json.count > 0) return true;
    return this.all().some(({ running, queue }) => running + queue.size > 0);
  }

  /** Never throws and never rejects. */
  private take(request: IncomingMessage, response: ServerResponse): void {
    const arrivalNs = this.connections.begin(request);
    request.once('end', () => this.connections.bodyEnded(request));
    response.once('close', () => this.connections.end(request));
    const body = new Body(request, response);
    this.answer(request, response, body, arrivalNs).catch((error: unknown) => {
      body.forget();
      this.telemetry.refused(asHoneError(error));
      sendError(response, error);
    });
  }

  private async answer(
    request: IncomingMessage,
    response: ServerResponse,
    body: Body,
    arrivalNs: number,
  ): Promise<void> {
    const turn = this.connections.turnOf(request, response);
    if (turn !== undefined && !(await turn)) return;
    const { method = 'GET' } = request;
    const { target, host } = readHead(request);
    checkOrigin(request, host, response, this.origins);
    if (method !== 'POST') body.forget();
    if (method === 'OPTIONS' && target === '*') return answerPreflight(response, 'GET, HEAD, POST, OPTIONS');
    const { handler, segments, allow } = ROUTES.find(method, target);
    if (method === 'OPTIONS') return answerPreflight(response, allow);
    const watch = (fail: (error: HoneError) => void) => this.connections.watchBody(request, fail);
    const readBody = (limit: number, alignedAt = 0) => body.read(this.uploads, limit, alignedAt, watch);
    await handler({ request, response, segments, target, arrivalNs, front: this, readBody });
  }
}

function limitsOf({ limits = {} }: FrontOptions): HttpLimits {
  return { ...HTTP_LIMITS, ...limits };
}
