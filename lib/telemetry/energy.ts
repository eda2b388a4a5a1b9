import type { EnergyPerInference, NoInferenceEnergy } from './sample';

/** Shortest window of an energy figure, in milliseconds, and the least number of updates of its source within it. */
const MIN_WINDOW_MS = 2000;
const MIN_UPDATES = 200;

/** Joules that a source has given since it was opened, or why they are not known at this moment. */
export interface EnergyTotal {
  /** Nanoseconds of the monotonic clock. */
  readonly monotonicNs: number;
  readonly joules: number | null;
  readonly reason?: string;
  /** The longest time between two values since the total before: of the source, or of the reads where they were further apart. */
  readonly intervalMs: number;
}

/** What a source gave over a window of inferences. */
export interface EnergyWindow {
  readonly joules: number;
  /** Inferences that ended in the window. */
  readonly inferences: number;
  readonly windowMs: number;
  /** Time between two values of the source: its own, or that at which it was read if that is longer. */
  readonly intervalMs: number;
  /** What the source gives without any inference, where that is known. */
  readonly idleWatts?: number;
}

/** Milliseconds that a window needs for a source of this interval: 2 s and 200 updates. */
export function energyWindowMs(intervalMs: number): number {
  return Math.max(MIN_WINDOW_MS, MIN_UPDATES * intervalMs);
}

/**
 * Joules of one inference over a window: all that the source gave, by inferences; null with the reason when the window is too
 * short for the source or saw no inference. A counter that moves every `intervalMs` may be off by one interval at both ends.
 */
export function energyPerInference(window: EnergyWindow): EnergyPerInference | NoInferenceEnergy {
  const { joules, inferences, windowMs, intervalMs, idleWatts } = window;
  if (inferences === 0) return { joules: null, reason: 'no inference in the window' };
  const needed = energyWindowMs(intervalMs);
  if (windowMs < needed) return { joules: null, reason: tooShort(windowMs, needed, intervalMs) };
  return {
    joules: joules / inferences,
    netJoules: idleWatts === undefined ? null : (joules - (idleWatts * windowMs) / 1000) / inferences,
    uncertaintyJoules: ((joules / inferences) * 2 * intervalMs) / windowMs,
  };
}

function tooShort(windowMs: number, needed: number, intervalMs: number): string {
  const seconds = (ms: number) => `${Number((ms / 1000).toPrecision(4))} s`;
  return `${seconds(windowMs)} are too short: a source with a value every ${Number(intervalMs.toPrecision(3))} ms needs ${seconds(needed)}`;
}
