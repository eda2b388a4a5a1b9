import type { Diagnostic } from '../../core/diagnostic';
import { HoneError } from '../../core/error';
import type { Graph } from '../../ir/graph';
import { inferShapes } from '../../passes/infer-shapes';
import { countMacs } from '../count-macs';
import { skipReason } from '../skip';
import type { CachedStep, ModelMeasure, RecipeContext, Scored, StepRecord, StepTry } from './context';
import type { RecipeStep } from './steps';
import { weightBytes } from './weight-bytes';

/** A model between two steps. */
export interface State {
  readonly graph: Graph;
  readonly bytes: Uint8Array;
  readonly measure: ModelMeasure;
  /** The step that made it; undefined for the incoming model. */
  readonly record?: StepRecord;
}

/** What every step of a run is measured by. */
export interface RunOrigin {
  readonly baseline: ModelMeasure;
  readonly teacher: Graph;
  /** Digest of it and of the named teachers. */
  readonly teachersHash: string;
}

/** A model from its ONNX bytes, measured. */
export async function openState(bytes: Uint8Array, context: RecipeContext): Promise<State> {
  const graph = decode(bytes, context);
  return { graph, bytes, measure: measureOf(graph, bytes, await scoreOf(graph, context), context) };
}

/**
 * The model after one step, from the cache where it was done before. `rolledBack` are layers to leave alone besides those that
 * the user ignores, `asked` says in words what the options ask for instead of those in the recipe.
 * @throws what the method throws, E_INTERRUPTED
 */
export async function applyStep(
  step: RecipeStep,
  index: number,
  incoming: State,
  { rolledBack, asked }: Pick<StepTry, 'rolledBack' | 'asked'>,
  context: RecipeContext,
  origin: RunOrigin,
): Promise<State> {
  const ignored = incoming.graph.nodes.filter((node) => skipReason(node, context.ignore) !== undefined);
  const keep = [...new Set([...ignored.map(({ name }) => name), ...rolledBack])].sort();
  const description = {
    version: context.version,
    method: step.method.name,
    options: step.options,
    seed: context.seed,
    data: context.dataIdentity,
    keep,
    rolledBack,
    target: context.target,
    teachers: origin.teachersHash,
  };
  const key = context.hash([JSON.stringify(description), incoming.bytes]);
  const known = await context.cache.get(key);
  const { bytes, decisions, report, missed, diagnostics, scored } =
    known ??
    (await compute(step, incoming, { keep, rolledBack }, key, context, origin).catch((error: unknown) => {
      throw withPlace(error, `${context.place ?? ''}steps[${index}].${step.method.name}`);
    }));
  const graph = decode(bytes, context);
  const measure = measureOf(graph, bytes, scored, context);
  const record: StepRecord = {
    index,
    method: step.method.name,
    ...measure,
    drop: origin.baseline.accuracy - scored.accuracy,
    rolledBack,
    ...(asked !== undefined && { asked }),
    decisions,
    report,
    ...(missed !== undefined && { missed }),
    ...(diagnostics && { diagnostics }),
    cached: known !== undefined,
  };
  context.onStep?.(record);
  return { graph, bytes, measure, record };
}

async function compute(
  { method, options }: RecipeStep,
  { graph: incoming }: State,
  { keep, rolledBack }: { readonly keep: readonly string[]; readonly rolledBack: readonly string[] },
  key: string,
  context: RecipeContext,
  { teacher }: RunOrigin,
): Promise<CachedStep> {
  const { data, evaluate, openFinished, score, seed, target, clock, signal, onProgress, cache, codec, teachers } =
    context;
  if (signal?.aborted) throw new HoneError('E_INTERRUPTED', { what: `before ${method.name}` });
  const told: Diagnostic[] = [];
  const result = await method.apply(incoming, options as never, {
    data,
    evaluate,
    ...(openFinished && { openFinished }),
    score,
    seed,
    teacher,
    ...(teachers && { teachers }),
    keep: new Set(keep),
    rolledBack: new Set(rolledBack),
    target,
    checkpoints: cache.checkpoints(key),
    onDiagnostic: (diagnostic) => told.push(diagnostic),
    ...(onProgress && { onProgress: (what, done, total) => onProgress(`${method.name}, ${what}`, done, total) }),
    ...(clock && { clock }),
    ...(signal && { signal }),
  });
  const { graph, decisions, report } = result;
  const all = [...(result.diagnostics ?? []), ...told];
  const diagnostics = all.filter(({ severity }) => severity === 'warning');
  const faults = all.filter(({ severity }) => severity === 'error').map(({ message }) => message);
  const missed = [...(result.missed === undefined ? [] : [result.missed]), ...faults].join('; ');
  const bytes = codec.encode(graph);
  const step = {
    bytes,
    decisions,
    report,
    ...(missed !== '' && { missed }),
    ...(diagnostics.length > 0 && { diagnostics }),
    scored: await scoreOf(decode(bytes, context), context),
  };
  await cache.put(key, step);
  return step;
}

/** An error about options or samples that says which step it comes from; any other one as it is. */
function withPlace(error: unknown, place: string): unknown {
  if (!(error instanceof HoneError)) return error;
  const { code, details } = error;
  if (code === 'E_OPTION_VALUE')
    return new HoneError(code, { ...details, option: `${place}.${details.option}` }, { cause: error });
  if (code === 'E_DATA_MISMATCH')
    return new HoneError(code, { ...details, expected: `${details.expected} (${place})` }, { cause: error });
  return error;
}

function decode(bytes: Uint8Array, { codec }: RecipeContext): Graph {
  return inferShapes(codec.decode(bytes)).graph;
}

async function scoreOf(graph: Graph, { score, detailOf }: RecipeContext): Promise<Scored> {
  const accuracy = await score(graph);
  return { accuracy, ...detailOf?.(graph) };
}

function measureOf(graph: Graph, bytes: Uint8Array, scored: Scored, { noteBytes = 0 }: RecipeContext): ModelMeasure {
  return { ...scored, bytes: bytes.length + noteBytes, weightBytes: weightBytes(graph), macs: countMacs(graph) };
}
