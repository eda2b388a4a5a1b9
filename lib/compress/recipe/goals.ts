import type { ModelMeasure, Scored } from './context';
import type { Recipe } from './recipe-schema';

type Goals = Recipe['goals'];

/** Differences of accuracy below this are rounding. */
const ROUNDING = 1e-9;

/**
 * Whether a model keeps to `maxDrop`: the drop is at most that and one standard error. Chance alone then breaks a goal that is just
 * met in one of six cases, not in every second one. `exactly`: without the standard error. Of several tries the strongest that
 * passes would owe it to chance too often, and would leave no room for the steps behind it.
 */
export function isWithinDrop(
  { maxDrop }: Goals,
  baseline: ModelMeasure,
  { accuracy, dropStandardError = 0 }: Scored,
  exactly = false,
): boolean {
  if (maxDrop === undefined) return true;
  return baseline.accuracy - accuracy <= maxDrop / 100 + (exactly ? 0 : dropStandardError) + ROUNDING;
}

/** A drop of accuracy in points, with its standard error where that is known. */
export function dropText({
  drop,
  dropStandardError,
}: { readonly drop: number } & Pick<Scored, 'dropStandardError'>): string {
  const points = (share: number) => (100 * share).toFixed(2);
  return dropStandardError === undefined ? points(drop) : `${points(drop)} ± ${points(dropStandardError)}`;
}

/** Why a model does not keep to `maxDrop`, in words. */
export function dropReason(dropped: Parameters<typeof dropText>[0], { maxDrop }: Goals): string {
  return `it drops ${dropText(dropped)} points of accuracy, maxDrop allows ${maxDrop}`;
}

/** Samples whose outcome a compressed model changes, as a share: what is usual where it is good. */
const CHANGED = 0.04;

/**
 * Why validation samples are too few to tell whether `maxDrop` is kept, and what it would take; undefined when they suffice or
 * nothing is to be kept. They are too few when the standard error of the drop is as large as the goal.
 */
export function tooFewToDecide({ maxDrop }: Goals, samples: number): string | undefined {
  if (maxDrop === undefined || maxDrop <= 0) return undefined;
  const standardError = Math.sqrt(CHANGED / samples);
  if (standardError <= maxDrop / 100 + ROUNDING) return undefined;
  const enough = (times: number) => Math.ceil((CHANGED * times ** 2) / (maxDrop / 100) ** 2);
  const points = (share: number) => (100 * share).toFixed(2);
  return `${samples} validation samples are too few for maxDrop ${maxDrop}: one sample is ${points(1 / samples)} points, the standard error of a drop about ${points(standardError)} (where a twenty-fifth of the samples changes); ${enough(1)} samples make it as small as the goal, ${enough(1.96)} tell a drop of ${maxDrop} from none`;
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
