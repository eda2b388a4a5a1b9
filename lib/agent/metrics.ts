import { Gauge, Registry, Summary } from 'prom-client';
import type { Reading } from '../telemetry/sample';
import type { ServedModel } from './served-model';

const LATENCY_QUANTILES = [0.5, 0.9, 0.99];

/** Prometheus text of the agent: latencies in seconds, memory in bytes, one series per sensor that gives a value. */
export class AgentMetrics {
  private readonly registry = new Registry();
  private readonly latency: Summary<'model' | 'phase'>;
  private readonly memory: Gauge<'model' | 'kind'>;
  private readonly sensors = new Map<string, Gauge<'name'>>();

  constructor() {
    this.latency = new Summary({
      name: 'hone_inference_duration_seconds',
      help: 'Time of inferences by phase: queue or compute.',
      labelNames: ['model', 'phase'],
      percentiles: LATENCY_QUANTILES,
      maxAgeSeconds: 60,
      ageBuckets: 5,
      registers: [this.registry],
    });
    this.memory = new Gauge({
      name: 'hone_model_memory_bytes',
      help: 'Memory of a loaded model by kind: weights, arena or scratch.',
      labelNames: ['model', 'kind'],
      registers: [this.registry],
    });
  }

  observe(model: string, queueNs: number, computeNs: number): void {
    this.latency.observe({ model, phase: 'queue' }, queueNs / 1e9);
    this.latency.observe({ model, phase: 'compute' }, computeNs / 1e9);
  }

  /** The text for GET /metrics. Sensors without a value have no series. */
  async render(model: ServedModel, readings: readonly Reading[]): Promise<string> {
    const { weightBytes, arenaBytes, scratchBytes } = model.memory;
    for (const [kind, bytes] of Object.entries({ weights: weightBytes, arena: arenaBytes, scratch: scratchBytes }))
      this.memory.set({ model: model.name, kind }, bytes);
    for (const gauge of this.sensors.values()) gauge.reset();
    for (const { name, unit, value } of readings) if (value !== null) this.sensor(unit).set({ name }, value);
    return this.registry.metrics();
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  private sensor(unit: Reading['unit']): Gauge<'name'> {
    let gauge = this.sensors.get(unit);
    if (gauge === undefined) {
      const options = { name: `hone_sensor_${unit}`, help: `Sensors of this machine, in ${unit}.` };
      gauge = new Gauge({ ...options, labelNames: ['name'], registers: [this.registry] });
      this.sensors.set(unit, gauge);
    }
    return gauge;
  }
}
