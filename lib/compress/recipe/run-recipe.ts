import type { Diagnostic } from '../../core/diagnostic';
import { HoneError } from '../../core/error';
import type { Graph } from '../../ir/graph';
import { prepare } from '../../passes/pipeline';
import { requireMeaning } from '../skip';
import { applyStep, openState, type RunOrigin, type State } from './apply-step';
import { type ModelMeasure, type RecipeContext, type StepRecord, stepNotices } from './context';
import { bestOf, costFaults, isWithinDrop } from './goals';
import { rollBack } from './roll-back';
import type { RecipeStep } from './steps';

/** A step that could not keep to the accuracy goal, or whose training diverged. */
export interface LeftOutStep {
  readonly index: number;
  readonly method: string;
  readonly reason: string;
}

export interface RecipeResult {
  /** The best model. */
  readonly graph: Graph;
  readonly bytes: Uint8Array;
  readonly baseline: ModelMeasure;
  /** The steps that were kept, in order. */
  readonly steps: readonly StepRecord[];
  readonly leftOut: readonly LeftOutStep[];
  /** Kept steps that the best model has behind it; fewer than all when a later one made it larger. */
  readonly bestStep: number;
  readonly best: ModelMeasure;
  /** Goals that the run misses, in words; empty when all are met. */
  readonly missed: readonly string[];
  /** Whether the signal ended the run before the last step. */
  readonly interrupted: boolean;
  /** What preparing the model found, and what the kept steps have to say. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * The best model that the steps give within the goals. Every step is measured on the validation samples. One that breaks
 * `goals.maxDrop` is applied again with its most damaging layers left alone, and left out when that does not help, or when its training diverges at every rate; a step that
 * recovery follows is judged after the recovery. Models pass from step to step as ONNX bytes, so that a run that takes steps
 * from the cache gives the same bytes as one that does not.
 * @throws what the methods throw; E_OPTION_VALUE when `ignore` means no node; E_INTERRUPTED when the signal comes before a step is done
 */
export async function runRecipe(
  model: Graph,
  steps: readonly RecipeStep[],
  context: RecipeContext,
): Promise<RecipeResult> {
  const { codec, goals, hash, ignore, place = '', teachers = [] } = context;
  const prepared = prepare(model, { batchNorm: 'keep' });
  requireMeaning(prepared.graph, ignore, `${place}ignore`);
  const incoming = await openState(codec.encode(prepared.graph), context);
  const origin: RunOrigin = {
    baseline: incoming.measure,
    teacher: incoming.graph,
    teachersHash: hash([incoming.bytes, ...[...teachers].flatMap(([name, graph]) => [name, codec.encode(graph)])]),
  };
  const run: Run = { context, origin, steps, kept: [incoming], unjudged: [], leftOut: [] };
  const interrupted = await runStages(run);
  const { kept, leftOut } = run;
  const best = bestOf(goals, kept);
  const unreached = kept
    .slice(0, kept.indexOf(best) + 1)
    .flatMap(({ record }) => (record?.missed ? `steps[${record.index}].${record.method}: ${record.missed}` : []));
  const refused = leftOut.map(({ index, method, reason }) => `steps[${index}].${method} was left out: ${reason}`);
  return {
    graph: best.graph,
    bytes: best.bytes,
    baseline: origin.baseline,
    steps: kept.flatMap(({ record }) => record ?? []),
    leftOut,
    bestStep: kept.indexOf(best),
    best: best.measure,
    missed: [...refused, ...unreached, ...costFaults(goals, best.measure)],
    interrupted,
    diagnostics: [...prepared.diagnostics, ...kept.flatMap(({ record }) => (record ? stepNotices(record) : []))],
  };
}

/** A run under way. */
interface Run {
  readonly context: RecipeContext;
  readonly origin: RunOrigin;
  readonly steps: readonly RecipeStep[];
  /** The incoming model and what every kept step made of it. */
  readonly kept: State[];
  /** Steps of the current stage that are done. */
  unjudged: readonly State[];
  readonly leftOut: LeftOutStep[];
}

/** Runs step by step; returns whether the signal ended it. */
async function runStages(run: Run): Promise<boolean> {
  const { steps } = run;
  try {
    for (let at = 0; at < steps.length; ) {
      let end = at + 1;
      while (!steps[at].recovers && end < steps.length && steps[end].recovers) end++;
      await runStage(run, at, end);
      at = end;
    }
    return false;
  } catch (error) {
    if (!(error instanceof HoneError && error.code === 'E_INTERRUPTED')) throw error;
    keepStates(run, withinGoal(run, run.unjudged));
    if (run.kept.length === 1) throw error;
    return true;
  }
}

/** States up to the last one that keeps to the accuracy goal. */
function withinGoal({ context, origin }: Run, states: readonly State[]): readonly State[] {
  const holds = ({ measure }: State) => isWithinDrop(context.goals, origin.baseline, measure);
  return states.slice(0, states.findLastIndex(holds) + 1);
}

function keepStates(run: Run, states: readonly State[]): void {
  run.kept.push(...states);
  run.unjudged = [];
}

/** Keeps step `at` and the recoveries before `end`, with layers rolled back as needed, or leaves out what does not fit. */
async function runStage(run: Run, at: number, end: number): Promise<void> {
  const { states: first, failure } = await tryStage(run, at, end, []);
  if (failure) {
    const index = at + first.length;
    run.leftOut.push({ index, method: run.steps[index].method.name, reason: failure.message });
    if (index > at) await runStage(run, at, index);
    for (let rest = index + 1; rest < end; rest++) await runStage(run, rest, rest + 1);
    return;
  }
  let good = withinGoal(run, first);
  if (good.length === 0) {
    const layers = worstFirst(first[0]);
    const found = await rollBack(layers.length, run.context.goals.tries, async (count) => {
      const value = withinGoal(run, (await tryStage(run, at, end, layers.slice(0, count))).states);
      return { passes: value.length > 0, value };
    });
    good = found ?? [];
  }
  keepStates(run, good);
  if (at + good.length === end) return;
  const [out] = first.slice(good.length);
  run.leftOut.push(leftOut(run, at + good.length, out));
  // What recovery does without the step before it is another question.
  for (let rest = at + good.length + 1; rest < end; rest++) await runStage(run, rest, rest + 1);
}

function leftOut({ context, origin, steps }: Run, index: number, { measure }: State): LeftOutStep {
  const points = (share: number) => (100 * share).toFixed(2);
  const { accuracy, dropStandardError } = measure;
  const error = dropStandardError === undefined ? '' : ` ± ${points(dropStandardError)}`;
  const drop = `${points(origin.baseline.accuracy - accuracy)}${error}`;
  const reason = `it drops ${drop} points of accuracy, maxDrop allows ${context.goals.maxDrop}`;
  return { index, method: steps[index].method.name, reason };
}

/** Layers by damage, the worst first; those that nothing was done to are not among them. */
function worstFirst({ record }: State): string[] {
  return record!.decisions
    .filter(({ damage }) => damage !== undefined)
    .sort((a, b) => b.damage! - a.damage!)
    .map(({ layer }) => layer);
}

/** A stage as far as it goes: training that diverges whatever the rate ends it. */
async function tryStage(
  run: Run,
  at: number,
  end: number,
  rolledBack: readonly string[],
): Promise<{ readonly states: readonly State[]; readonly failure?: HoneError }> {
  try {
    return { states: await applyStage(run, at, end, rolledBack) };
  } catch (error) {
    if (!(error instanceof HoneError && error.code === 'E_TRAINING')) throw error;
    const states = run.unjudged;
    run.unjudged = [];
    return { states, failure: error };
  }
}

/** Steps `at` to before `end`, one after the other, the first of them without touching the layers of `rolledBack`. */
async function applyStage(run: Run, at: number, end: number, rolledBack: readonly string[]): Promise<readonly State[]> {
  const { context, origin, steps, kept } = run;
  run.unjudged = [];
  let state = kept[kept.length - 1];
  for (let index = at; index < end; index++) {
    state = await applyStep(steps[index], index, state, index === at ? rolledBack : [], context, origin);
    run.unjudged = [...run.unjudged, state];
  }
  return run.unjudged;
}
