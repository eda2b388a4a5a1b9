import { HoneError } from '../../core/error';
import { applyStep, type RunOrigin, type State } from './apply-step';
import type { ModelMeasure, RecipeContext, StepTry } from './context';
import { dropReason, dropText, isWithinDrop } from './goals';
import { ease, rollBack } from './roll-back';
import type { RecipeStep } from './steps';

/** A step that could not keep to the accuracy goal, or whose training diverged. */
export interface LeftOutStep {
  readonly index: number;
  readonly method: string;
  readonly reason: string;
  /** What was tried, in order, where accuracy is the reason. */
  readonly tries?: readonly StepTry[];
}

/** A run under way. */
export interface Run {
  readonly context: RecipeContext;
  readonly origin: RunOrigin;
  readonly steps: readonly RecipeStep[];
  /** The incoming model and what every kept step made of it. */
  readonly kept: State[];
  /** Steps of the current stage that are done. */
  unjudged: readonly State[];
  /** What the current stage gives if it ends now: the best try that passes. */
  spare: readonly State[];
  readonly leftOut: LeftOutStep[];
}

/** What a try does other than the recipe says. */
interface Change {
  readonly rolledBack: readonly string[];
  /** Share of what the step asks for. */
  readonly share: number;
}

/** A step and the recoveries behind it, applied once. One with less asked of it has to keep to the goal without its standard error. */
export interface Attempt {
  /** As far as they went. */
  readonly states: readonly State[];
  /** Those up to the last one that keeps to the accuracy goal. */
  readonly good: readonly State[];
  /** Training that diverged at every rate. */
  readonly failure?: HoneError;
  /** The model that the try is judged by. */
  readonly judged: ModelMeasure;
  readonly tried: StepTry;
}

const AS_ASKED: Change = { rolledBack: [], share: 1 };

/** Applies steps `at` to before `end` as the recipe says, or with a change of the first of them. */
export async function attempt(run: Run, at: number, end: number, change = AS_ASKED): Promise<Attempt> {
  const { method, options } = run.steps[at];
  const milder = change.share < 1 ? method.milder?.(options as never, change.share) : undefined;
  const asked = milder && { asked: milder.words };
  const step = milder ? { ...run.steps[at], options: milder.options } : run.steps[at];
  let failure: HoneError | undefined;
  try {
    await apply(run, step, at, end, { rolledBack: change.rolledBack, ...asked });
  } catch (error) {
    if (!(error instanceof HoneError && error.code === 'E_TRAINING')) throw error;
    failure = error;
  }
  const states = run.unjudged;
  run.unjudged = [];
  const good = withinGoal(run, states, milder !== undefined);
  const measures = (good.length > 0 ? good.slice(-1) : states).map(({ measure }) => measure);
  const judged = measures.reduce(
    (best, each) => (each.accuracy > best.accuracy ? each : best),
    measures[0] ?? run.origin.baseline,
  );
  const { accuracy, macs, weightBytes, dropStandardError } = judged;
  const tried: StepTry = {
    ...asked,
    rolledBack: change.rolledBack,
    macs,
    weightBytes,
    accuracy,
    drop: run.origin.baseline.accuracy - accuracy,
    ...(dropStandardError !== undefined && { dropStandardError }),
    passes: good.length > 0,
  };
  return { states, good, ...(failure && { failure }), judged, tried };
}

/** One step after the other; `run.unjudged` tells how far it is. */
async function apply(
  run: Run,
  first: RecipeStep,
  at: number,
  end: number,
  change: Pick<StepTry, 'rolledBack' | 'asked'>,
): Promise<void> {
  const { context, origin, steps, kept } = run;
  run.unjudged = [];
  let state = kept[kept.length - 1];
  for (let index = at; index < end; index++) {
    const [step, own] = index === at ? [first, change] : [steps[index], { rolledBack: [] }];
    state = await applyStep(step, index, state, own, context, origin);
    run.unjudged = [...run.unjudged, state];
  }
}

/** States up to the last one that keeps to the accuracy goal. */
export function withinGoal({ context, origin }: Run, states: readonly State[], exactly = false): readonly State[] {
  const holds = ({ measure }: State) => isWithinDrop(context.goals, origin.baseline, measure, exactly);
  return states.slice(0, states.findLastIndex(holds) + 1);
}

/** Damage of the worst layer beside that of the next one from which it is worth a try to spare it alone. */
const OUTSTANDING = 1.5;

/** Bounds of the first share that is tried. */
const SHARES = { least: 0.25, most: 0.75 } as const;

/** The share of what was asked that `maxDrop` allows, if accuracy falls with the square of it, as a loss does near its least. */
function likelyShare(drop: number, { maxDrop = 0 }: RecipeContext['goals']): number {
  return Math.min(SHARES.most, Math.max(SHARES.least, Math.sqrt(maxDrop / 100 / drop)));
}

/** MACs, or bytes of weights where these are the same, that count as no more: as close as goals of MACs are met. */
const NEAR = 0.95;

/**
 * Tries of a stage that broke the accuracy goal with less asked of its first step: the best of them that passes, and all of them.
 * Where other layers make up for one that is left alone, that is tried if one does far more damage than the others, and then the
 * better of the two forms with a smaller share of what was asked. Else ever more of the most damaging layers are left alone, and the share is
 * lowered when that does not help.
 */
export async function retry(
  run: Run,
  at: number,
  end: number,
  asked: Attempt,
): Promise<{ readonly found: Attempt | undefined; readonly tries: readonly StepTry[] }> {
  const { method, options } = run.steps[at];
  const most = run.context.goals.tries;
  const incoming = run.kept[run.kept.length - 1].measure;
  const layers = worstFirst(asked.states[0]);
  const tries: StepTry[] = [asked.tried];
  const tryWith = async (change: Partial<Change>) => {
    const value = await attempt(run, at, end, { ...AS_ASKED, ...change });
    tries.push(value.tried);
    if (value.tried.passes) run.spare = value.good;
    return { passes: value.tried.passes, value };
  };
  let found: Attempt | undefined;
  let base = { rolledBack: AS_ASKED.rolledBack, attempt: asked };
  if (!method.makesUp?.(options as never)) {
    found = await rollBack(layers.length, most, (count) =>
      tryWith({ rolledBack: layers.slice(0, count).map(({ layer }) => layer) }),
    );
    if (found) return { found, tries };
  } else if (standsOut(layers) && most > 0) {
    const rolledBack = [layers[0].layer];
    const { passes, value } = await tryWith({ rolledBack });
    const near = isNear(value.judged, asked.judged);
    if (passes && near) return { found: value, tries };
    if (passes) found = value;
    if (near && value.judged.accuracy > asked.judged.accuracy) base = { rolledBack, attempt: value };
  }
  const eased =
    method.milder?.(options as never, 0.5) &&
    (await ease(
      most + 1 - tries.length,
      likelyShare(base.attempt.tried.drop, run.context.goals),
      base.attempt,
      (share) => tryWith({ rolledBack: base.rolledBack, share }),
      (passed, failed) => isNear(passed.judged, failed.judged),
    ));
  const smallest = [found, eased]
    .filter((each) => each !== undefined)
    .filter(({ judged }) => isSmaller(judged, incoming))
    .reduce<Attempt | undefined>(
      (best, each) => (best && !isSmaller(each.judged, best.judged) ? best : each),
      undefined,
    );
  return { found: smallest, tries };
}

/** Whether the first layer, or those that lose channels with it, take far more damage than the next ones; any where there are no others. */
function standsOut([worst, ...others]: ReturnType<typeof worstFirst>): boolean {
  if (!worst) return false;
  const next = others.find(({ damage }) => damage < worst.damage);
  return next === undefined || worst.damage > OUTSTANDING * next.damage;
}

type Size = Pick<ModelMeasure, 'macs' | 'weightBytes'>;

function isSmaller(model: Size, other: Size): boolean {
  return model.macs < other.macs || (model.macs === other.macs && model.weightBytes < other.weightBytes);
}

/** Whether a model is as small as another, or nearly. */
function isNear(model: Size, other: Size): boolean {
  const [own, its] = model.macs === other.macs ? [model.weightBytes, other.weightBytes] : [model.macs, other.macs];
  return own * NEAR <= its;
}

/** Layers by damage, the worst first; those that nothing was done to are not among them. */
function worstFirst(state: State | undefined): { readonly layer: string; readonly damage: number }[] {
  return (state?.record?.decisions ?? [])
    .flatMap(({ layer, damage }) => (damage === undefined ? [] : [{ layer, damage }]))
    .sort((a, b) => b.damage - a.damage);
}

/** Why a step is left out, in words. */
export function whyLeftOut(run: Run, tries: readonly StepTry[]): string {
  const [asked, ...milder] = tries;
  const least = milder.toSorted((a, b) => a.drop - b.drop).at(0);
  const drops = dropReason(asked, run.context.goals);
  if (!least) return drops;
  return least.passes
    ? `${drops}; with less asked of it (${changeText(least)}) nothing can go`
    : `${drops}; the least of ${milder.length} milder tries (${changeText(least)}) drops ${dropText(least)}`;
}

/**
 * What was asked of a step in the end, and what the next stronger try would have cost; undefined where all was asked that the
 * recipe says.
 */
export function shortfall(run: Run, kept: StepTry, tries: readonly StepTry[]): string | undefined {
  if (kept.asked === undefined) return undefined;
  const next = tries
    .filter((each) => !each.passes && isSmaller(each, kept))
    .reduce<StepTry | undefined>((nearest, each) => (nearest && !isSmaller(nearest, each) ? nearest : each), undefined);
  const costs = next ? `: the next step, ${changeText(next)}, drops ${dropText(next)} points of accuracy` : '';
  return `${changeText(kept)}${costs}, maxDrop allows ${run.context.goals.maxDrop}`;
}

function changeText({ asked, rolledBack }: StepTry): string {
  const parts = [
    ...(asked === undefined ? [] : [asked]),
    ...(rolledBack.length > 0
      ? [`${rolledBack.slice(0, 3).join(', ')}${rolledBack.length > 3 ? ', ...' : ''} left alone`]
      : []),
  ];
  return parts.length > 0 ? parts.join(' and ') : 'as asked';
}
