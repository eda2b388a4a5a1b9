import { HoneError } from '../../core/error';
import type { PruneSchedule } from './prune-options';

/** When and how far weights go, in steps of one run. */
export interface ResolvedSchedule {
  readonly kind: NonNullable<PruneSchedule['kind']>;
  readonly initialSparsity: number;
  readonly finalSparsity: number;
  /** Steps of the first and of the last pruning; their distance is a multiple of `frequency`, and so are both. */
  readonly beginStep: number;
  readonly endStep: number;
  readonly frequency: number;
  readonly power: number;
}

const DEFAULT_FREQUENCY = 100;
const DEFAULT_ROUNDS = 5;

/**
 * The schedule for a run of `steps` steps, rounded so that every pruning falls on a multiple of the frequency.
 * @throws E_OPTION_VALUE when it ends before it begins, or after the run
 */
export function resolveSchedule(
  schedule: PruneSchedule,
  kind: NonNullable<PruneSchedule['kind']>,
  sparsity: number,
  steps: number,
): ResolvedSchedule {
  const stepOf = (moment: number) => (moment < 1 ? Math.floor(moment * steps) : moment);
  const [begin, end] = [stepOf(schedule.begin_step), stepOf(schedule.end_step)];
  if (end < begin || end >= Math.max(steps, 1))
    throw new HoneError('E_OPTION_VALUE', {
      option: 'schedule.end_step',
      expected: `a step from begin_step (${begin}) to below the end of the run (${steps})`,
      found: schedule.end_step,
    });
  const usual = kind === 'iterative' ? (end - begin) / (DEFAULT_ROUNDS - 1) : DEFAULT_FREQUENCY;
  const asked = Math.floor(schedule.frequency === undefined ? usual : stepOf(schedule.frequency));
  const frequency = Math.max(1, Math.min(asked, Math.max(end, 1)));
  const [first, last] = [Math.floor(begin / frequency), Math.floor(end / frequency)];
  return {
    kind,
    initialSparsity: schedule.initial_sparsity,
    finalSparsity: schedule.final_sparsity ?? sparsity,
    beginStep: first * frequency,
    endStep: last * frequency,
    frequency,
    power: schedule.power,
  };
}

/**
 * Share of zeros after the pruning at `step`, 0 before the first one.
 * - `polynomial`: `s_f + (s_i - s_f) (1 - (t - t0) / (n dt))^3` (Zhu and Gupta 2017, equation 1, with any exponent)
 * - `constant`: `s_f` from the first pruning on
 * - `iterative`: every pruning keeps the same share of what the one before has kept (Han et al. 2015), from `s_i` to `s_f`
 * - `one-shot`: `s_f` before the first step
 */
export function sparsityAt(schedule: ResolvedSchedule, step: number): number {
  const { kind, initialSparsity, finalSparsity, beginStep, endStep, frequency, power } = schedule;
  if (kind === 'one-shot') return finalSparsity;
  if (step < beginStep) return 0;
  if (kind === 'constant') return finalSparsity;
  const pruned = Math.floor((Math.min(step, endStep) - beginStep) / frequency) * frequency;
  if (kind === 'polynomial') {
    const progress = endStep === beginStep ? 1 : pruned / (endStep - beginStep);
    return finalSparsity + (initialSparsity - finalSparsity) * (1 - progress) ** power;
  }
  const rounds = (endStep - beginStep) / frequency + 1;
  return iterativeSparsity(initialSparsity, finalSparsity, pruned / frequency + 1, rounds);
}

/** Share of zeros after round `round` (from 1) of `rounds`: what is kept falls by the same factor in every round. */
export function iterativeSparsity(initial: number, final: number, round: number, rounds: number): number {
  if (round >= rounds) return final;
  return 1 - (1 - initial) * ((1 - final) / (1 - initial)) ** (round / rounds);
}

/** Rounds of an iterative pruning outside training. */
export const ROUNDS = DEFAULT_ROUNDS;
