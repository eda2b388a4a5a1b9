import type { Server, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { HoneError } from '../../core/error';
import type { ErrorCode } from '../../core/error-table';
import type { Clock } from '../../sensors/clock';
import type { MachineSensors } from '../../sensors/machine';
import { EnergyHistory } from '../../telemetry/energy-history';
import { EXPOSITION_TYPE, writeExposition } from '../../telemetry/exposition';
import type { TelemetryFrame } from '../../telemetry/sample';
import type { CoreBudget } from './core-budget';
import { FrameStream } from './frame-stream';
import type { Connections } from './http/connections';
import type { Uploads } from './http/uploads';
import { metricFamilies } from './metrics';
import { nanoseconds } from './nanoseconds';
import { memoryLimit, ProcessMemories, readProcessFigures } from './process-figures';
import type { ServedModel } from './served-model';
import type { ServedModels } from './served-models';
import type { RequestTimes } from './statistics';

/** What telemetry is taken from. */
export interface TelemetrySource {
  readonly version: string;
  /** Milliseconds between frames. */
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly sensors: MachineSensors;
  readonly models: ServedModels;
  readonly cores: CoreBudget;
  readonly connections: Connections;
  readonly uploads: Uploads;
}

/** Part of an interval for which a frame waits for what workers have to tell of their nodes. */
const PROFILE_SHARE = 1 / 20;

/** What a front measures: windows, frames, metrics. Nothing of what requests carry is in it. */
export class Telemetry {
  private readonly source: TelemetrySource;
  private readonly stream = new FrameStream();
  private readonly energy = new EnergyHistory();
  private readonly memories = new ProcessMemories();
  private readonly timer: NodeJS.Timeout;
  private readonly energyTimer: NodeJS.Timeout | undefined;
  /** Refusals that no model has counted. */
  private readonly refusals = new Map<ErrorCode, number>();
  /** Errors that a model has counted. */
  private readonly counted = new WeakSet<HoneError>();
  private readonly inFlight = new WeakMap<ServedModel, number>();
  private dropped = 0;
  private isSending = false;
  private windowEndNs = nanoseconds();

  constructor(source: TelemetrySource, server: Server) {
    this.source = source;
    server.on('drop', () => {
      this.dropped++;
    });
    this.timer = setInterval(() => void this.tick(), source.intervalMs);
    this.timer.unref();
    const { energy } = source.sensors;
    this.energyTimer = energy.pollMs === null ? undefined : setInterval(() => energy.poll(), energy.pollMs);
    this.energyTimer?.unref();
  }

  /** An inference on a model has begun. */
  begun(model: ServedModel): void {
    this.inFlight.set(model, this.inFlightOf(model) + 1);
  }

  /** It is over, either way. */
  ended(model: ServedModel): void {
    this.inFlight.set(model, this.inFlightOf(model) - 1);
  }

  /** It was answered: where its time went, and how many elements of binary outputs were NaN or infinite. */
  answered(model: ServedModel, times: RequestTimes, nonFinite: number): void {
    model.statistics.record(times, Date.now());
    model.statistics.recordNonFinite(nonFinite);
  }

  /** It was refused or failed, `ns` nanoseconds after it began to arrive. */
  failed(model: ServedModel, error: HoneError, ns: number): void {
    model.statistics.recordFailure(error.code, ns);
    this.counted.add(error);
  }

  /** A request was answered with an error, perhaps one that its model has counted. */
  refused(error: HoneError): void {
    if (!this.counted.has(error)) this.refusals.set(error.code, (this.refusals.get(error.code) ?? 0) + 1);
  }

  /** Makes a response a reader of the frames of a model, undefined: of all. @throws E_AGENT_BUSY */
  async openStream(response: ServerResponse, model: string | undefined): Promise<void> {
    this.stream.requireRoom();
    const frames = await this.frames();
    this.stream.add(
      response,
      model,
      frames.filter((frame) => model === undefined || frame.model === model),
    );
  }

  /** Answer to GET /metrics: its media type and text. */
  async metrics(): Promise<{ readonly type: string; readonly text: string }> {
    const { version, models, cores, connections, uploads, sensors } = this.source;
    const [figures, front, measured] = await Promise.all([
      readProcessFigures(),
      this.memories.of(process.pid),
      Promise.all(
        models.all().map(async (model) => ({
          model,
          inFlight: this.inFlightOf(model),
          worker: await this.memories.of(model.worker.pid),
        })),
      ),
    ]);
    const families = metricFamilies({
      ...{ version, cores, models: measured, refusals: this.refusals },
      connections: connections.size,
      droppedConnections: this.dropped,
      uploads: uploads.count,
      front: figures,
      memory: { front, limit: memoryLimit() },
      readings: sensors.read(),
    });
    return { type: EXPOSITION_TYPE, text: writeExposition(families) };
  }

  /** Ends all streams; no window is closed any more. */
  close(): void {
    clearInterval(this.timer);
    clearInterval(this.energyTimer);
    this.stream.close();
  }

  private inFlightOf(model: ServedModel): number {
    return this.inFlight.get(model) ?? 0;
  }

  /** Ends a window. Never rejects. */
  private async tick(): Promise<void> {
    const endNs = nanoseconds();
    const windowMs = (endNs - this.windowEndNs) / 1e6;
    this.windowEndNs = endNs;
    const models = this.source.models.all();
    for (const { statistics } of models) statistics.closeWindow(windowMs);
    this.markEnergy();
    const profiles = Promise.all(models.map((model) => model.readNodes(endNs)));
    if (this.stream.empty || this.isSending) return;
    this.isSending = true;
    try {
      // A worker that is busy tells later; the frame does not wait for it and says how old its nodes are.
      await Promise.race([profiles, delay(this.source.intervalMs * PROFILE_SHARE)]);
      this.stream.send(await this.frames());
    } finally {
      this.isSending = false;
    }
  }

  private markEnergy(): void {
    const inferences = new Map<string, number>();
    for (const { settings, statistics } of this.source.models.all())
      inferences.set(settings.name, (inferences.get(settings.name) ?? 0) + statistics.count);
    this.energy.mark({ ...this.source.sensors.energy.take(), inferences });
  }

  private async frames(): Promise<TelemetryFrame[]> {
    const { clock, sensors, models } = this.source;
    const served = models.all();
    const [front, ...workers] = await Promise.all([
      this.memories.of(process.pid),
      ...served.map(({ worker }) => this.memories.of(worker.pid)),
    ]);
    const stamp = clock.now();
    const readings = sensors.read();
    const { scope, source } = sensors.energy;
    const limit = memoryLimit();
    return served.map((model, index) => ({
      stamp,
      ...this.frameOf(model, { front, worker: workers[index], limit }),
      energy: { scope, source, ...this.energy.of(model.settings.name) },
      readings,
    }));
  }

  private frameOf(
    model: ServedModel,
    processes: TelemetryFrame['processes'],
  ): Omit<TelemetryFrame, 'stamp' | 'energy' | 'readings'> {
    const { settings, memory, statistics, queue, running, nodes, nodeTimes } = model;
    return {
      model: settings.name,
      version: settings.version,
      ...{ memory, processes, running },
      waiting: queue.size,
      inferences: statistics.count,
      ...statistics.window,
      since: statistics.since,
      nodes,
      nodesAgeMs: nodeTimes.ageMs(this.windowEndNs),
    };
  }
}
