import type { SessionLoad, SessionMemory } from '../../engine/addon';
import type { Conditions, ConditionsVerdict } from '../../telemetry/conditions';
import type { InferenceEnergy, LatencySummary } from '../../telemetry/sample';

/** What to measure of a plan, and how. */
export interface MeasureRequest {
  readonly threads: number;
  /** Pairs of runs, one timed as a whole and one node by node. */
  readonly runs: number;
  /** After so many seconds no further pair begins, once there are `LEAST_RUNS`. */
  readonly seconds: number;
  /** Of the random inputs. */
  readonly seed: number;
  /** Whether energy is measured too, which takes some seconds more where there is a sensor. */
  readonly energy: boolean;
  /** Governor of all cores while it is measured; left out: as it is. */
  readonly governor?: string;
}

/** Fewest pairs, however long one takes. */
export const LEAST_RUNS = 5;

/** One node of the plan, in microseconds of the runs that were timed node by node. */
export interface MeasuredNode {
  readonly name: string;
  readonly op: string;
  /** Row of the kernel table, for example `conv_s8_neon_dotprod`. */
  readonly kernel: string;
  readonly threads: number;
  readonly meanUs: number;
  readonly p50Us: number;
  readonly p90Us: number;
  readonly p99Us: number;
  readonly leastUs: number;
  /** Part of the sum of all means, 0..1. */
  readonly share: number;
  /** Weights in the plan, and tensors that it writes. */
  readonly weightBytes: number;
  readonly outputBytes: number;
}

/** How the times of nodes add up to those of runs, in microseconds. */
export interface TimeBalance {
  /** Median of runs that are timed as a whole. */
  readonly plainUs: number;
  /** Mean of runs that are timed node by node, and the sum of the means of their nodes. */
  readonly profiledUs: number;
  readonly nodesUs: number;
  /** What a run takes besides its nodes: `profiledUs - nodesUs`. */
  readonly besidesUs: number;
  /** Median of profiled ÷ plain, run by run. */
  readonly profilingRatio: number;
}

/** Resident memory of the process that measured, in bytes; null where the system does not tell. */
export interface MeasuredMemory extends SessionMemory {
  /** With the engine loaded and the plan's file read, before it is opened. */
  readonly idleRssBytes: number | null;
  /** At its peak. */
  readonly peakRssBytes: number | null;
}

/** What a plan costs on a machine. */
export interface PlanMeasurement {
  readonly instructionSets: string;
  readonly threads: number;
  readonly seed: number;
  readonly latency: LatencySummary;
  readonly balance: TimeBalance;
  readonly nodes: readonly MeasuredNode[];
  readonly memory: MeasuredMemory;
  readonly load: SessionLoad;
  readonly energy: InferenceEnergy;
  /** SHA-256 of each output of the seeded inputs: equal on every machine where the plan computes the same. */
  readonly outputs: readonly { readonly name: string; readonly sha256: string }[];
  readonly before: Conditions;
  readonly after: Conditions;
  readonly verdict: ConditionsVerdict;
}
