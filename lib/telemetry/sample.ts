/** Units of readings; one unit per quantity, as Prometheus recommends base units. */
export type ReadingUnit = 'bytes' | 'celsius' | 'hertz' | 'joules' | 'watts' | 'ratio' | 'seconds' | 'count';

/**
 * What a value is: `gauge`, the quantity at this moment; `counter`, a total since the reader started that only grows and
 * starts again from 0 after a gap in which it was not known.
 */
export type ReadingKind = 'gauge' | 'counter';

/**
 * What a reading of energy or power covers. `board` holds all others, `system` the packages and their memory; a `part` lies within
 * another reading and must not be added to it.
 */
export type EnergyCover = 'board' | 'system' | 'package' | 'memory' | 'rail' | 'part';

/**
 * One measured quantity at one moment. A sensor that is missing or unusable gives `value: null` with the reason, never 0.
 */
export type Reading = {
  /** Stable dotted name, for example `pressure.cpu` or `thermal.cpu-thermal`. */
  readonly name: string;
  readonly unit: ReadingUnit;
  readonly kind: ReadingKind;
  /** Where it was read: a file, a counter, a device. */
  readonly source: string;
  /** Of energy and power alone. */
  readonly covers?: EnergyCover;
} & (
  | { readonly value: number; readonly reason?: undefined }
  | { readonly value: null /** Why there is no value. */; readonly reason: string }
);

/** When something was measured. */
export interface Stamp {
  /** Changes at every boot, so that monotonic times of two boots are never compared. */
  readonly bootId: string;
  /** Nanoseconds since boot. */
  readonly monotonicNs: number;
  /** Milliseconds since 1970, UTC; wrong until the clock is synchronised. */
  readonly wallMs: number;
}

/** Percentiles of the inferences of a span, in microseconds. */
export interface LatencySummary {
  readonly count: number;
  readonly meanUs: number;
  readonly p50Us: number;
  readonly p90Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
}

/** One inference, in microseconds. */
export interface InferenceSample {
  /** Number of the inference since the agent started, from 1. */
  readonly number: number;
  /** Waiting for its body and its turn. */
  readonly queueUs: number;
  readonly computeUs: number;
}

/** One node of the plan, over runs that were timed. */
export interface NodeSummary {
  readonly name: string;
  readonly op: string;
  /** Row of the kernel table that runs it, for example `conv_s8_neon_dotprod`. */
  readonly kernel: string;
  /** Over the window that the frame's `nodesAgeMs` tells of; 0 where no timed run of it came by this node. */
  readonly meanUs: number;
  /** Part of the sum over all nodes in that window, 0..1. */
  readonly share: number;
  /** Since the worker began. */
  readonly since: NodeFigures;
}

/** What a node took since its worker began, in microseconds; percentiles within a sixteenth. */
export interface NodeFigures {
  /** Timed runs. */
  readonly count: number;
  readonly meanUs: number;
  readonly p50Us: number;
  readonly p90Us: number;
  readonly p99Us: number;
}

/**
 * What an energy source covers: `board`, all that the board's supply gives; `system`, the platform as its firmware counts it
 * (RAPL psys); `packages`, the processors, with their memory where it is counted apart; `rails`, the sum of rails that carry
 * no total; `rail`, one rail whose load is not known.
 */
export type EnergyScope = 'board' | 'system' | 'packages' | 'rails' | 'rail';

/** Energy of one inference, from all inferences of a window that is long enough for the source. */
export interface EnergyPerInference {
  /** Joules of the source over the window by inferences, idle power included. */
  readonly joules: number;
  /** The same without what the idle source would have taken; null while its idle power is not known. */
  readonly netJoules: number | null;
  /** Bound of the error of `joules` that comes of the source's interval at both ends of the window; its own accuracy is not in it. */
  readonly uncertaintyJoules: number;
  readonly reason?: undefined;
}

/** Why there is no energy of one inference. */
export interface NoInferenceEnergy {
  readonly joules: null;
  readonly reason: string;
}

/** Energy of one inference and where it comes from; `scope` and `source` are null where nothing measures energy. */
export type InferenceEnergy = {
  readonly scope: EnergyScope | null;
  readonly source: string | null;
} & (NoInferenceEnergy | (EnergyPerInference & EnergyWindowSize));

/** The window that an energy figure stands on. */
export interface EnergyWindowSize {
  readonly windowMs: number;
  readonly inferences: number;
}

/** Bytes that a loaded model holds, by what they are. */
export interface ModelMemory {
  /** Weights: the plan file and its packed form. */
  readonly weightBytes: number;
  /** Intermediate tensors. */
  readonly arenaBytes: number;
  /** Working memory of kernels. */
  readonly scratchBytes: number;
}

/** Bytes, or why the system does not tell them. */
export type MaybeBytes =
  | { readonly bytes: number; readonly reason?: undefined }
  | { readonly bytes: null; readonly reason: string };

/** Memory of one process, as far as the system tells it. */
export interface ProcessMemory {
  /** Proportional set size: of pages that n processes share it has an n-th, so that sizes of processes can be added up. */
  readonly pss: MaybeBytes;
  /** Resident set size: all pages that the process sees in memory. */
  readonly rss: MaybeBytes;
}

/** Memory of the processes that serve a model. */
export interface ServingMemory {
  /** The process that has the port; one for all models. */
  readonly front: ProcessMemory;
  /** The process that runs this model. */
  readonly worker: ProcessMemory;
  /** What the control group of the front allows it and all processes in the same group. */
  readonly limit: MaybeBytes;
}

/** Latencies of a span of time; each null where it saw no answered request. */
export interface Latencies {
  /** From the first byte to the start of the run, without the reading of tensors. */
  readonly queue: LatencySummary | null;
  /** Inside the engine. */
  readonly compute: LatencySummary | null;
  /** From the first byte to the answer. */
  readonly request: LatencySummary | null;
}

/** A model since the agent serves it. */
export interface SinceStart extends Latencies {
  readonly failures: number;
  /** Requests that failed or were refused, by the code of their error. */
  readonly failuresByCode: Readonly<Record<string, number>>;
  /** NaN and infinities in binary outputs. */
  readonly nonFinite: number;
}

/** What the telemetry stream sends of each version of a model at every tick. */
export interface TelemetryFrame extends Latencies {
  readonly stamp: Stamp;
  readonly model: string;
  readonly version: string;
  /** Bytes that the model holds. */
  readonly memory: ModelMemory;
  readonly processes: ServingMemory;
  /** Requests that wait for their turn, and that run, at this moment. */
  readonly waiting: number;
  readonly running: number;
  /** Inferences answered since the agent serves the model. */
  readonly inferences: number;
  /** Length of the last window as it was; 0 before the first has passed. Latencies, `failures` and `recent` are over it. */
  readonly windowMs: number;
  /** Requests that failed or were refused in the window. */
  readonly failures: number;
  /** The last inferences of the window, one by one, at most 64, oldest first. */
  readonly recent: readonly InferenceSample[];
  readonly since: SinceStart;
  /** Over the last window in which a run was timed; empty before. */
  readonly nodes: readonly NodeSummary[];
  /**
   * Milliseconds from the end of the window of `nodes` to that of the last one: 0, the last one itself; more, they are stale; null,
   * no run was timed yet.
   */
  readonly nodesAgeMs: number | null;
  /** What an inference of this model costs, over a window of its own. */
  readonly energy: InferenceEnergy;
  readonly readings: readonly Reading[];
}
