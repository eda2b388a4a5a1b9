import type { Diagnostic } from '../../core/diagnostic';
import { HoneError } from '../../core/error';
import type { Graph } from '../../ir/graph';
import { prepare } from '../../passes/pipeline';
import { requireConsistent } from '../../passes/require-consistent';
import { requireMeaning } from '../skip';
import { openState, type RunOrigin, type State } from './apply-step';
import { type ModelMeasure, type RecipeContext, type StepRecord, type StepTry, stepNotices } from './context';
import { bestOf, costFaults, dropReason } from './goals';
import { type Attempt, attempt, type LeftOutStep, type Run, retry, shortfall, whyLeftOut, withinGoal } from './stage';
import type { RecipeStep } from './steps';

export interface RecipeResult {
  /** The best model. */
  readonly graph: Graph;
  readonly bytes: Uint8Array;
  readonly baseline: ModelMeasure;
  /** The steps that were kept, in order. */
  readonly steps: readonly StepRecord[];
  /** The model after each of them. */
  readonly models: readonly Graph[];
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
 * `goals.maxDrop` is applied again with its most damaging layers left alone or with less asked of it (see `retry`), and left out
 * when that does not help, or when its training diverges at every rate; a step that recovery follows is judged after the recovery.
 * Models pass from step to step as ONNX bytes, so that a run that takes steps from the cache gives the same bytes as one that does not.
 * @throws what the methods throw; E_OPTION_VALUE when `ignore` means no node; E_INTERRUPTED when the signal comes before a step is done
 */
export async function runRecipe(
  model: Graph,
  steps: readonly RecipeStep[],
  context: RecipeContext,
): Promise<RecipeResult> {
  const { codec, goals, hash, ignore, place = '', teachers = [] } = context;
  const prepared = prepare(model, { batchNorm: 'keep' });
  requireConsistent(prepared);
  requireMeaning(prepared.graph, ignore, `${place}ignore`);
  const incoming = await openState(codec.encode(prepared.graph), context);
  const origin: RunOrigin = {
    baseline: incoming.measure,
    teacher: incoming.graph,
    teachersHash: hash([incoming.bytes, ...[...teachers].flatMap(([name, graph]) => [name, codec.encode(graph)])]),
  };
  const run: Run = { context, origin, steps, kept: [incoming], unjudged: [], spare: [], leftOut: [] };
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
    models: kept.slice(1).map(({ graph }) => graph),
    leftOut,
    bestStep: kept.indexOf(best),
    best: best.measure,
    missed: [...refused, ...unreached, ...costFaults(goals, best.measure)],
    interrupted,
    diagnostics: [...prepared.diagnostics, ...kept.flatMap(({ record }) => (record ? stepNotices(record) : []))],
  };
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
    const good = withinGoal(run, run.unjudged);
    keepStates(run, good.length > 0 ? good : run.spare);
    if (run.kept.length === 1) throw error;
    return true;
  }
}

function keepStates(run: Run, states: readonly State[]): void {
  run.kept.push(...states);
  run.unjudged = [];
  run.spare = [];
}

/** Keeps step `at` and the recoveries before `end`, with less asked of it as needed, or leaves out what does not fit. */
async function runStage(run: Run, at: number, end: number): Promise<void> {
  run.spare = [];
  const asked = await attempt(run, at, end);
  if (asked.failure) {
    const index = at + asked.states.length;
    run.leftOut.push({ index, method: run.steps[index].method.name, reason: asked.failure.message });
    if (index > at) await runStage(run, at, index);
    return runRest(run, index + 1, end);
  }
  let used = asked;
  let { good } = asked;
  if (good.length === 0) {
    const { found, tries } = await retry(run, at, end, asked);
    if (!found) {
      run.leftOut.push({ index: at, method: run.steps[at].method.name, reason: whyLeftOut(run, tries), tries });
      return runRest(run, at + 1, end);
    }
    used = found;
    good = withTries(run, found, tries);
  }
  keepStates(run, good);
  const out = at + good.length;
  if (out === end) return;
  const reason = used.failure?.message ?? harmOf(run, used.states[good.length]);
  run.leftOut.push({ index: out, method: run.steps[out].method.name, reason });
  await runRest(run, out + 1, end);
}

/** What recovery does without the step before it is another question. */
async function runRest(run: Run, from: number, end: number): Promise<void> {
  for (let rest = from; rest < end; rest++) await runStage(run, rest, rest + 1);
}

function harmOf({ context, origin }: Run, { measure }: State): string {
  return dropReason({ ...measure, drop: origin.baseline.accuracy - measure.accuracy }, context.goals);
}

/** The states of a try that less was asked of, the first of which says so. */
function withTries(run: Run, { good, tried }: Attempt, tries: readonly StepTry[]): readonly State[] {
  const [{ record, ...first }, ...others] = good;
  const message = shortfall(run, tried, tries);
  const short: Diagnostic[] =
    message === undefined ? [] : [{ severity: 'warning', kind: 'rolled-back', where: 'goal', message }];
  const diagnostics = [...(record!.diagnostics ?? []), ...short];
  return [{ ...first, record: { ...record!, tries, ...(diagnostics.length > 0 && { diagnostics }) } }, ...others];
}
