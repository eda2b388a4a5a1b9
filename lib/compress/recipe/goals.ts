import type { ModelMeasure } from './context';
import type { Recipe } from './schema';

type Goals = Recipe['goals'];

/** Differences of accuracy below this are rounding. */
const ROUNDING = 1e-9;

/** Whether a model keeps to `maxDrop`. */
export function isWithinDrop(goals: Goals, baseline: ModelMeasure, accuracy: number): boolean {
  return goals.maxDrop === undefined || baseline.accuracy - accuracy <= goals.maxDrop / 100 + ROUNDING;
}

/** Goals of cost that a model misses, in words. */
export function costFaults({ maxMacs, maxBytes }: Goals, { macs, bytes }: ModelMeasure): string[] {
  const faults: string[] = [];
  if (maxMacs !== undefined && macs > maxMacs)
    faults.push(`the model takes ${macs} multiply-accumulates per sample, maxMacs allows ${maxMacs}`);
  if (maxBytes !== undefined && bytes > maxBytes)
    faults.push(`the model takes ${bytes} bytes, maxBytes allows ${maxBytes}`);
  return faults;
}

/** A model this much larger still counts as no larger: recovery gives a few parameters a value that were zero. */
const SAME_SIZE = 1.01;

/**
 * The smallest of the models that meet the goals of cost, the later of equals; the smallest of all where none does. Expects
 * models within `maxDrop`, in the order of steps. "Small" is the weight without zeros, so that pruning counts.
 */
export function bestOf<T extends { readonly measure: ModelMeasure }>(goals: Goals, models: readonly T[]): T {
  const meeting = models.filter(({ measure }) => costFaults(goals, measure).length === 0);
  const candidates = meeting.length > 0 ? meeting : models;
  return candidates.reduce((best, model) =>
    model.measure.weightBytes <= best.measure.weightBytes * SAME_SIZE ? model : best,
  );
}
