import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Reading } from '../telemetry/sample';
import type { ServedModel } from './served-model';
import type { RequestTimes } from './statistics';

/** Upper bounds in seconds: 10 µs to 10 s in steps of 1, 2, 5. */
const LATENCY_BUCKETS = [-5, -4, -3, -2, -1, 0]
  .flatMap((power) => [1, 2, 5].map((step) => Number(`${step}e${power}`)))
  .concat(10);

/** Prometheus text of the agent: latencies in seconds, memory in bytes, one series per sensor that gives a value. */
export class AgentMetrics {
  private readonly registry = new Registry();
  private readonly latency: { readonly [P in 'queue' | 'compute']: Histogram.Internal<string> };
  private readonly memory: Gauge<'model' | 'kind'>;
  private readonly load: Gauge<'model' | 'cache'>;
  private readonly sensors = new Map<string, Gauge<'name'> | Counter<'name'>>();

  constructor(model: string) {
    const latency = new Histogram({
      name: 'hone_inference_duration_seconds',
      help: 'Time of answered inferences by phase: queue or compute.',
      labelNames: ['model', 'phase'],
      buckets: LATENCY_BUCKETS,
      registers: [this.registry],
    });
    this.latency = {
      queue: latency.labels({ model, phase: 'queue' }),
      compute: latency.labels({ model, phase: 'compute' }),
    };
    this.memory = new Gauge({
      name: 'hone_model_memory_bytes',
      help: 'Memory of a loaded model by kind: weights, arena or scratch.',
      labelNames: ['model', 'kind'],
      registers: [this.registry],
    });
    this.load = new Gauge({
      name: 'hone_model_load_seconds',
      help: 'Time that loading the model took; cache: whether packed weights were off, read, written, or failed to be kept.',
      labelNames: ['model', 'cache'],
      registers: [this.registry],
    });
  }

  observe({ queueNs, computeNs }: RequestTimes): void {
    this.latency.queue.observe(queueNs / 1e9);
    this.latency.compute.observe(computeNs / 1e9);
  }

  /** The text for GET /metrics. Sensors without a value have no series. */
  async render(model: ServedModel, readings: readonly Reading[]): Promise<string> {
    const { weightBytes, arenaBytes, scratchBytes } = model.memory;
    for (const [kind, bytes] of Object.entries({ weights: weightBytes, arena: arenaBytes, scratch: scratchBytes }))
      this.memory.set({ model: model.name, kind }, bytes);
    this.load.set({ model: model.name, cache: model.opening.cache }, model.opening.us / 1e6);
    for (const sensor of this.sensors.values()) sensor.reset();
    for (const reading of readings)
      if (reading.value !== null) this.sensor(reading).inc({ name: reading.name }, reading.value);
    return this.registry.metrics();
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
