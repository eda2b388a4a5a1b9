import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Reading } from '../../telemetry/sample';
import type { ServedModel } from './served-model';
import type { RequestTimes } from './statistics';

/** Upper bounds in seconds: 10 µs to 10 s in steps of 1, 2, 5. */
const LATENCY_BUCKETS = [-5, -4, -3, -2, -1, 0]
  .flatMap((power) => [1, 2, 5].map((step) => Number(`${step}e${power}`)))
  .concat(10);

/** Prometheus text of the agent: latencies in seconds, memory in bytes, one series per sensor that gives a value. */
export class AgentMetrics {
  private readonly registry = new Registry();
  private readonly latency = new Histogram({
    name: 'hone_inference_duration_seconds',
    help: 'Time of answered inferences by phase: queue or compute.',
    labelNames: ['model', 'version', 'phase'],
    buckets: LATENCY_BUCKETS,
    registers: [this.registry],
  });
  private readonly memory = new Gauge({
    name: 'hone_model_memory_bytes',
    help: 'Memory of a loaded model by kind: weights, arena or scratch.',
    labelNames: ['model', 'version', 'kind'],
    registers: [this.registry],
  });
  private readonly load = new Gauge({
    name: 'hone_model_load_seconds',
    help: 'Time that loading the model took; cache: whether packed weights were off, read, written, or failed to be kept.',
    labelNames: ['model', 'version', 'cache'],
    registers: [this.registry],
  });
  private readonly sensors = new Map<string, Gauge<'name'> | Counter<'name'>>();

  observe({ settings: { name, version } }: ServedModel, { queueNs, computeNs }: RequestTimes): void {
    this.latency.observe({ model: name, version, phase: 'queue' }, queueNs / 1e9);
    this.latency.observe({ model: name, version, phase: 'compute' }, computeNs / 1e9);
  }

  /** The text for GET /metrics. Sensors without a value have no series. */
  async render(models: readonly ServedModel[], readings: readonly Reading[]): Promise<string> {
    this.memory.reset();
    this.load.reset();
    for (const model of models) this.setModel(model);
    for (const sensor of this.sensors.values()) sensor.reset();
    for (const reading of readings)
      if (reading.value !== null) this.sensor(reading).inc({ name: reading.name }, reading.value);
    return this.registry.metrics();
  }

  private setModel({ settings: { name: model, version }, memory, about: { load } }: ServedModel): void {
    const { weightBytes, arenaBytes, scratchBytes } = memory;
    for (const [kind, bytes] of Object.entries({ weights: weightBytes, arena: arenaBytes, scratch: scratchBytes }))
      this.memory.set({ model, version, kind }, bytes);
    this.load.set({ model, version, cache: load.cache }, load.us / 1e6);
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** Series of a unit, from 0: what the readings of one rendering are added to. */
  private sensor({ unit, kind }: Reading): Gauge<'name'> | Counter<'name'> {
    const name = kind === 'counter' ? `hone_sensor_${unit}_total` : `hone_sensor_${unit}`;
    let sensor = this.sensors.get(name);
    if (sensor === undefined) {
      const help = `Sensors of this machine, in ${unit}${kind === 'counter' ? ' since the agent started' : ''}.`;
      const options = { name, help, labelNames: ['name'] as const, registers: [this.registry] };
      sensor = kind === 'counter' ? new Counter(options) : new Gauge(options);
      this.sensors.set(name, sensor);
    }
    return sensor;
  }
}
