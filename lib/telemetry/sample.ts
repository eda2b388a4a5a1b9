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
  /** Stable dotted name, for example `memory.rss` or `thermal.cpu-thermal`. */
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

/** Percentiles of a window of inferences, in microseconds. */
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

/** One node of the plan, over the inferences of a window that were profiled. */
export interface NodeSummary {
  readonly name: string;
  readonly op: string;
  /** Row of the kernel table that runs it, for example `conv_s8_neon_dotprod`. */
  readonly kernel: string;
  readonly meanUs: number;
  /** Part of the sum over all nodes, 0..1. */
  readonly share: number;
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

/** What the telemetry stream sends at every tick. */
export interface TelemetryFrame {
  readonly stamp: Stamp;
  readonly model: string;
  /** Bytes that the model holds. */
  readonly memory: ModelMemory;
  /** Inferences since the agent started. */
  readonly inferences: number;
  /** Length of the last window; 0 before the first has passed. */
  readonly windowMs: number;
  /** Over the last window; null when it saw no inference. */
  readonly compute: LatencySummary | null;
  readonly queue: LatencySummary | null;
  /** The last inferences of the window, one by one, at most 64, oldest first. */
  readonly recent: readonly InferenceSample[];
  /** Over the last window in which an inference was profiled; empty before. */
  readonly nodes: readonly NodeSummary[];
  /** What an inference of this model costs, over a window of its own. */
  readonly energy: InferenceEnergy;
  readonly readings: readonly Reading[];
}
