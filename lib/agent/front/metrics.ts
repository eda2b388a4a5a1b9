import type { ErrorCode } from '../../core/error-table';
import type { MetricFamily, MetricSample, PointSample } from '../../telemetry/exposition';
import type { Latencies, ProcessMemory, Reading, ServingMemory } from '../../telemetry/sample';
import type { ProcessFigures } from './process-figures';
import type { ServedModel } from './served-model';

/** A model with what is measured of it beside its own figures. */
export interface MeasuredModel {
  readonly model: ServedModel;
  /** Requests whose head has come and that are not answered. */
  readonly inFlight: number;
  readonly worker: ProcessMemory;
}

/** All that metrics are made of, at one moment. */
export interface MetricsSource {
  readonly version: string;
  readonly models: readonly MeasuredModel[];
  /** Refusals of requests that reached no model, by code. */
  readonly refusals: ReadonlyMap<ErrorCode, number>;
  readonly cores: { readonly total: number; readonly free: number };
  readonly connections: number;
  readonly droppedConnections: number;
  readonly uploads: number;
  readonly front: ProcessFigures;
  readonly memory: Pick<ServingMemory, 'front' | 'limit'>;
  readonly readings: readonly Reading[];
}

/** A row of the table of metrics: its name has its unit, as Prometheus wants it. */
export interface MetricRow {
  readonly name: string;
  readonly labels: readonly string[];
  readonly help: string;
  readonly type: MetricFamily['type'];
  readonly collect: (source: MetricsSource) => readonly MetricSample[];
}

/** Nodes of a model that have series: the slowest, by all of their time. Large plans have thousands. */
export const NODE_SERIES = 20;

const MODEL = ['model', 'version'];

/** Every metric of an agent but those of sensors; page and tests loop over it. None has anything of a request but names of models. */
export const METRICS: readonly MetricRow[] = [
  {
    ...row('hone_build_info', 'gauge', ['version', 'node', 'platform', 'arch']),
    help: 'Always 1; labels tell what runs. The addon has the version of the agent.',
    collect: ({ version }) => [
      { labels: { version, node: process.version, platform: process.platform, arch: process.arch }, value: 1 },
    ],
  },
  {
    ...row('hone_model_info', 'gauge', [...MODEL, 'cpu']),
    help: 'Always 1 for a served model; cpu: instruction sets that its engine uses.',
    collect: perModel(({ model }) => [{ labels: { cpu: model.about.cpu }, value: 1 }]),
  },
  {
    ...row('hone_requests_total', 'counter', MODEL),
    help: 'Inference requests that reached a model and have ended, answered or not.',
    collect: perModel(({ model }) => [{ value: model.statistics.count + model.statistics.since.failures }]),
  },
  {
    ...row('hone_failures_total', 'counter', [...MODEL, 'code']),
    help: 'Requests that failed or were refused, by error code; without a model: any request that reached none.',
    collect: (source) => [
      ...perModel(({ model }) => byCode(Object.entries(model.statistics.since.failuresByCode)))(source),
      ...byCode([...source.refusals], { model: '', version: '' }),
    ],
  },
  {
    ...row('hone_runs_total', 'counter', MODEL),
    help: 'Runs of the engine; requests that share a batch share one.',
    collect: perModel(({ model }) => [{ value: model.statistics.runs }]),
  },
  {
    ...row('hone_outputs_not_finite_total', 'counter', MODEL),
    help: 'Elements of binary outputs that were NaN or infinite; in JSON they are failures (E_OUTPUT_NOT_FINITE).',
    collect: perModel(({ model }) => [{ value: model.statistics.since.nonFinite }]),
  },
  {
    ...row('hone_requests_in_flight', 'gauge', MODEL),
    help: 'Inference requests whose head has come and that are not answered: arriving, waiting, running, being answered.',
    collect: perModel(({ inFlight }) => [{ value: inFlight }]),
  },
  {
    ...row('hone_requests_waiting', 'gauge', MODEL),
    help: 'Requests in the queue of a model.',
    collect: perModel(({ model }) => [{ value: model.queue.size }]),
  },
  {
    ...row('hone_requests_running', 'gauge', MODEL),
    help: 'Requests in the run that is under way.',
    collect: perModel(({ model }) => [{ value: model.running }]),
  },
  {
    ...row('hone_queue_limit', 'gauge', MODEL),
    help: 'Requests that may wait; more are refused (E_QUEUE_FULL).',
    collect: perModel(({ model }) => [{ value: model.settings.queueLimit }]),
  },
  latency('hone_queue_duration_seconds', 'queue', 'Of answered requests: from the first byte to the start of the run.'),
  latency('hone_compute_duration_seconds', 'compute', 'Of answered requests: inside the engine.'),
  latency('hone_request_duration_seconds', 'request', 'Of answered requests: from the first byte to the answer.'),
  {
    ...row('hone_node_duration_seconds', 'summary', [...MODEL, 'node', 'kernel', 'quantile']),
    help: `Of timed runs since the worker began: what nodes took; the ${NODE_SERIES} that took most of each model, percentiles within a sixteenth.`,
    collect: perModel(({ model }) =>
      slowestNodes(model).map(({ name, kernel, since }) => ({
        labels: { node: name, kernel },
        quantiles: [
          [0.5, since.p50Us / 1e6],
          [0.9, since.p90Us / 1e6],
          [0.99, since.p99Us / 1e6],
        ] as const,
        sum: (since.meanUs * since.count) / 1e6,
        count: since.count,
      })),
    ),
  },
  {
    ...row('hone_worker_up', 'gauge', MODEL),
    help: '1 while the worker of a model is ready to run, else 0.',
    collect: perModel(({ model }) => [{ value: model.isReady ? 1 : 0 }]),
  },
  {
    ...row('hone_worker_restarts_total', 'counter', MODEL),
    help: 'How often the worker of a model had to be started again.',
    collect: perModel(({ model }) => [{ value: model.worker.restarts }]),
  },
  {
    ...row('hone_worker_memory_bytes', 'gauge', [...MODEL, 'kind']),
    help: 'Memory of the worker process, where the system tells it: pss (shared pages by their sharers) or rss.',
    collect: perModel(({ worker }) => memoryOf(worker)),
  },
  {
    ...row('hone_front_memory_bytes', 'gauge', ['kind']),
    help: 'Memory of the process that has the port: pss or rss. The agent takes this pss and that of all workers.',
    collect: ({ memory }) => memoryOf(memory.front),
  },
  {
    ...row('hone_memory_limit_bytes', 'gauge', []),
    help: 'What the control group of the agent may take, where it is less than the machine has.',
    collect: ({ memory }) => known(memory.limit.bytes),
  },
  {
    ...row('hone_model_memory_bytes', 'gauge', [...MODEL, 'kind']),
    help: 'Memory of a loaded model by kind: weights, arena or scratch.',
    collect: perModel(({ model: { memory } }) => [
      { labels: { kind: 'weights' }, value: memory.weightBytes },
      { labels: { kind: 'arena' }, value: memory.arenaBytes },
      { labels: { kind: 'scratch' }, value: memory.scratchBytes },
    ]),
  },
  {
    ...row('hone_model_load_seconds', 'gauge', [...MODEL, 'cache']),
    help: 'Time that loading the model took; cache: whether packed weights were off, read, written, or failed to be kept.',
    collect: perModel(({ model: { about } }) => [{ labels: { cache: about.load.cache }, value: about.load.us / 1e6 }]),
  },
  {
    ...row('hone_cores', 'gauge', []),
    help: 'Cores that all runs may take together.',
    collect: ({ cores }) => [{ value: cores.total }],
  },
  {
    ...row('hone_cores_granted', 'gauge', []),
    help: 'Cores that runs hold now.',
    collect: ({ cores }) => [{ value: cores.total - cores.free }],
  },
  {
    ...row('hone_connections', 'gauge', []),
    help: 'Open connections to the port.',
    collect: ({ connections }) => [{ value: connections }],
  },
  {
    ...row('hone_connections_dropped_total', 'counter', []),
    help: 'Connections that were closed at once since there were too many.',
    collect: ({ droppedConnections }) => [{ value: droppedConnections }],
  },
  {
    ...row('hone_uploads', 'gauge', []),
    help: 'Bodies of requests that are arriving.',
    collect: ({ uploads }) => [{ value: uploads }],
  },
  {
    ...row('process_cpu_seconds_total', 'counter', []),
    help: 'Processor time of the front, user and system.',
    collect: ({ front }) => [{ value: front.cpuSeconds }],
  },
  {
    ...row('process_start_time_seconds', 'gauge', []),
    help: 'Start of the front, in seconds since 1970.',
    collect: ({ front }) => [{ value: front.startSeconds }],
  },
  {
    ...row('process_resident_memory_bytes', 'gauge', []),
    help: 'Resident memory of the front alone.',
    collect: ({ front }) => [{ value: front.residentBytes }],
  },
  {
    ...row('process_virtual_memory_bytes', 'gauge', []),
    help: 'Virtual memory of the front alone.',
    collect: ({ front }) => known(front.virtualBytes),
  },
  {
    ...row('process_open_fds', 'gauge', []),
    help: 'Open files and sockets of the front.',
    collect: ({ front }) => known(front.openFiles),
  },
  {
    ...row('process_max_fds', 'gauge', []),
    help: 'Files and sockets that the front may have open.',
    collect: ({ front }) => known(front.mostFiles),
  },
];

/** Everything that GET /metrics tells, the sensors that give a value last. */
export function metricFamilies(source: MetricsSource): MetricFamily[] {
  const families = METRICS.map(({ name, help, type, collect }) => ({ name, help, type, samples: collect(source) }));
  return [...families, ...sensorFamilies(source.readings)];
}

function row(name: string, type: MetricFamily['type'], labels: readonly string[]) {
  return { name, type, labels };
}

function perModel(collect: (measured: MeasuredModel) => readonly MetricSample[]): MetricRow['collect'] {
  return ({ models }) =>
    models.flatMap((measured) => {
      const { name: model, version } = measured.model.settings;
      return collect(measured).map((series) => ({ ...series, labels: { model, version, ...series.labels } }));
    });
}

function latency(name: string, phase: keyof Latencies, help: string): MetricRow {
  return {
    ...row(name, 'histogram', MODEL),
    help,
    collect: perModel(({ model }) => [{ buckets: model.statistics.buckets[phase] }]),
  };
}

function byCode(counts: readonly (readonly [code: string, count: number])[], labels = {}): PointSample[] {
  return counts.map(([code, value]) => ({ labels: { ...labels, code }, value }));
}

function slowestNodes({ nodes }: ServedModel): ServedModel['nodes'] {
  const total = ({ since }: ServedModel['nodes'][number]) => since.meanUs * since.count;
  const slowest = [...nodes].sort((a, b) => total(b) - total(a)).slice(0, NODE_SERIES);
  // Two series with the same labels would spoil the whole page.
  return slowest.filter((node, index) => slowest.findIndex((other) => isSameSeries(node, other)) === index);
}

function isSameSeries(a: ServedModel['nodes'][number], b: ServedModel['nodes'][number]): boolean {
  return a.name === b.name && a.kernel === b.kernel;
}

function memoryOf({ pss, rss }: ProcessMemory): PointSample[] {
  return Object.entries({ pss, rss }).flatMap(([kind, { bytes }]) =>
    bytes === null ? [] : [{ labels: { kind }, value: bytes }],
  );
}

function known(value: number | null): PointSample[] {
  return value === null ? [] : [{ value }];
}

/** One metric for each unit and kind. */
function sensorFamilies(readings: readonly Reading[]): MetricFamily[] {
  const families = new Map<string, MetricFamily & { readonly samples: PointSample[] }>();
  for (const { name: sensor, unit, kind, value } of readings) {
    if (value === null) continue;
    const name = kind === 'counter' ? `hone_sensor_${unit}_total` : `hone_sensor_${unit}`;
    const help = `Sensors of this machine, in ${unit}${kind === 'counter' ? ' since the agent started' : ''}.`;
    const family = families.get(name) ?? { name, help, type: kind, samples: [] };
    families.set(name, family);
    family.samples.push({ labels: { name: sensor }, value });
  }
  return [...families.values()];
}
