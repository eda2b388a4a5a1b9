import type { EnergyPerInference, NoInferenceEnergy } from './sample';

/** Shortest window of an energy figure, in milliseconds, and the least number of values that its source must give within it. */
const MIN_WINDOW_MS = 2000;
const MIN_VALUES = 200;

/** Joules that a source has given since it was opened, or why they are not known at this moment. */
export interface EnergyTotal {
  /** Nanoseconds of the monotonic clock. */
  readonly monotonicNs: number;
  readonly joules: number | null;
  readonly reason?: string;
  /** Values that the source gave since it was opened: no more than it had new ones, nor than were read of a gauge. */
  readonly values: number;
  /** The longest time between two of them since the total before, in milliseconds. */
  readonly longestMs: number;
}

/** What a source gave over a window of inferences. */
export interface EnergyWindow {
  readonly joules: number;
  /** Inferences that ended in the window. */
  readonly inferences: number;
  readonly windowMs: number;
  /** Values of the source within the window, and the longest time between two of them in milliseconds. */
  readonly values: number;
  readonly longestMs: number;
  /** What the source gives without any inference, where that is known. */
  readonly idleWatts?: number;
}

/** Whether a window is long enough for its source: 2 s and 200 values. */
export function isLongEnough({ windowMs, values }: Pick<EnergyWindow, 'windowMs' | 'values'>): boolean {
  // The number of values is a quotient of times.
  return windowMs >= MIN_WINDOW_MS && values >= MIN_VALUES - 1e-6;
}

/**
 * Joules of one inference over a window: all that the source gave, by inferences; null with the reason when the window is too
 * short for the source or saw no inference. What the source gives between two values may belong to either side of both ends.
 */
export function energyPerInference(window: EnergyWindow): EnergyPerInference | NoInferenceEnergy {
  const { joules, inferences, windowMs, values, longestMs, idleWatts } = window;
  if (inferences === 0) return { joules: null, reason: 'no inference in the window' };
  if (!isLongEnough(window)) {
    const found = `${Number((windowMs / 1000).toPrecision(4))} s with ${Math.round(values)} values of the source`;
    return {
      joules: null,
      reason: `${found} are too short: ${MIN_WINDOW_MS / 1000} s and ${MIN_VALUES} values are needed`,
    };
  }
  return {
    joules: joules / inferences,
    netJoules: idleWatts === undefined ? null : (joules - (idleWatts * windowMs) / 1000) / inferences,
    uncertaintyJoules: ((joules / inferences) * 2 * longestMs) / windowMs,
  };
}
