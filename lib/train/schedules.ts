import type { Schedule } from './train-options';

/** The same rate all the time. */
function constant(rate: number): Schedule {
  return () => rate;
}

/** From `rate` to `end` (0 when left out) in a straight line. */
export function linear(rate: number, end = 0): Schedule {
  return (progress) => rate + (end - rate) * progress;
}

/** From `rate` to `end` (0 when left out) along half a cosine (Loshchilov and Hutter 2017, equation 5, without restarts). */
export function cosine(rate: number, end = 0): Schedule {
  return (progress) => end + 0.5 * (rate - end) * (1 + Math.cos(Math.PI * progress));
}

/** `rate` multiplied by `factor` at every milestone, a progress between 0 and 1. */
export function multiStep(rate: number, milestones: readonly number[], factor = 0.1): Schedule {
  return (progress) => rate * factor ** milestones.filter((milestone) => progress >= milestone).length;
}

/** Up in a straight line from `rate / 25` during the first 30 %, then down along half a cosine to zero (Smith and Topin 2018). */
export function oneCycle(rate: number): Schedule {
  return warmUp(cosine(rate), 0.3, 1 / 25);
}

/** `schedule`, squeezed behind a rise in a straight line that takes the share `share` (0 to below 1) and begins at `from` of it. */
export function warmUp(schedule: Schedule, share: number, from = 0): Schedule {
  return (progress) =>
    progress < share
      ? schedule(0) * (from + ((1 - from) * progress) / share)
      : schedule((progress - share) / (1 - share));
}

/** Schedules of a learning rate that end near zero (or stay), by the names that options use. */
export const SCHEDULES = {
  constant: (rate: number) => constant(rate),
  linear: (rate: number) => linear(rate),
  cosine: (rate: number) => cosine(rate),
  step: (rate: number) => multiStep(rate, [0.5, 0.75]),
  'one-cycle': oneCycle,
} as const satisfies Record<string, (rate: number) => Schedule>;

export type ScheduleName = keyof typeof SCHEDULES;
