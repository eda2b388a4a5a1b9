import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { largerFile } from '../../compress/quantize/warnings';
import type { StepRecord } from '../../compress/recipe/context';
import { tooFewToDecide } from '../../compress/recipe/goals';
import { METHODS } from '../../compress/recipe/methods';
import type { Recipe } from '../../compress/recipe/recipe-schema';
import { recommendSteps } from '../../compress/recipe/recommend-steps';
import { runRecipe } from '../../compress/recipe/run-recipe';
import { orderWarnings, requireQuantizeLast, stepsOf } from '../../compress/recipe/steps';
import type { Diagnostic } from '../../core/diagnostic';
import { HoneError } from '../../core/error';
import { toJson } from '../../core/json';
import { parsePreprocess } from '../../core/preprocess';
import { version } from '../../engine/version';
import type { Dataset } from '../../ir/dataset';
import type { Graph } from '../../ir/graph';
import { readModel } from '../../onnx/read-model';
import { writeModel } from '../../onnx/write-model';
import { prepare } from '../../passes/pipeline';
import { requireConsistent } from '../../passes/require-consistent';
import { createReferenceEvaluate } from '../../reference/evaluate';
import { type ModelArtifact, openArtifact } from '../artifact';
import { encodeModel } from '../encode-model';
import { engineLatencies } from '../engine-latency';
import { engineView } from '../engine-shares';
import { missingEngine, openFinishedWith } from '../open-finished';
import { prepareForEngine } from '../prepare-for-engine';
import { preprocessMetadata } from '../preprocess-note';
import { bindForSamples, requireClasses } from '../samples';
import { sourceMetadata } from '../source';
import { writeFileAtomically } from '../write-file';
import { openStepCache } from './recipe-cache';
import { openRecipeData, type RecipeData } from './recipe-data';
import { parseRecipe, type RecipeSource } from './recipe-file';
import { type EngineLatency, type RecipeReport, reportPath } from './recipe-report';
import { createScorer, type RecipeScorer } from './recipe-score';
import { openTarget } from './recipe-target';

export interface CompressRecipeOptions {
  readonly source: RecipeSource;
  /** File to write. */
  readonly target: string;
  /** Folder of finished steps; `<target>.hone-cache` when left out. */
  readonly cache?: string;
  /** Called with what will be done, before the work begins. */
  readonly onPlan?: (plan: RecipePlan) => void;
  /** Called after every measured step, also of tries that are rolled back. */
  readonly onStep?: (record: StepRecord) => void;
  readonly onProgress?: (what: string, done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** What a recipe is about to do. */
export interface RecipePlan {
  readonly samples: RecipeData['counts'];
  readonly metric: RecipeReport['metric'];
  /** Names of the methods, in order. */
  readonly steps: readonly string[];
  /** Whether the recipe left the steps open. */
  readonly recommendedSteps: boolean;
  /** Random changes of training pictures. */
  readonly augment: RecipeData['augment'];
  readonly warnings: RecipeReport['diagnostics'];
}

/**
 * Compresses a model by a recipe, and writes the best model and the report beside it. A run that was killed goes on where it
 * was: finished steps and training states are kept in the cache folder. When the signal comes, the best model so far is
 * written; the report says that the run is not complete.
 * @throws what `openRecipeData` and `runRecipe` throw, E_FILE_WRITE, E_REFERENCE_MISSING
 */
export async function compressByRecipe(model: ModelArtifact, options: CompressRecipeOptions): Promise<RecipeReport> {
  const { source, target, signal } = options;
  const { recipe, folder, place } = source;
  const data = await openRecipeData(recipe.data, { model, folder, place, recommend: recipe.steps === undefined });
  const recommended = () => parseRecipe({ steps: recommendSteps(data.training?.count, recipe.goals) }).steps!;
  const resolved = {
    ...recipe,
    data: { ...recipe.data, augment: data.augment },
    steps: recipe.steps ?? recommended(),
  };
  const steps = stepsOf(resolved.steps, METHODS);
  requireQuantizeLast(steps, place);
  const missing = missingEngine();
  const few = tooFewToDecide(recipe.goals, data.validation.count);
  const warnings = [
    ...orderWarnings(steps, METHODS),
    ...(missing === undefined ? [] : [engineWarning(missing)]),
    ...(few === undefined ? [] : [fewWarning(few)]),
  ];
  const graph = bindForSamples(model.graph, data.calibration);
  for (const part of [data.training, data.validation, data.test]) if (part) requireClasses({ ...model, graph }, part);
  const float = requireConsistent(prepare(graph, { batchNorm: 'keep' }));
  const runsOn = await openTarget(recipe.target, float, source);
  const reference = createReferenceEvaluate();
  try {
    const { evaluate } = reference;
    const openFinished = openFinishedWith(evaluate, { lacking: () => missing, float16Ports: model.float16Ports });
    const judge = (samples: Dataset) => createScorer({ samples, float, openFinished, ...(signal && { signal }) });
    const { metric, score, detailOf } = judge(data.validation);
    const recommendedSteps = recipe.steps === undefined;
    const names = steps.map(({ method }) => method.name);
    options.onPlan?.({ samples: data.counts, metric, steps: names, recommendedSteps, augment: data.augment, warnings });
    const { preprocess } = recipe.data;
    const note = [
      ...Object.entries(sourceMetadata(model)),
      ...preprocessMetadata(preprocess && parsePreprocess(preprocess)),
    ];
    const encode = (graph: Graph) => encodeModel({ ...graph, metadata: new Map([...graph.metadata, ...note]) }, model);
    const result = await runRecipe(graph, steps, {
      data,
      dataIdentity: data.identity,
      place,
      evaluate,
      openFinished,
      score,
      detailOf,
      teachers: await openTeachers(recipe.teachers, folder, place, data.calibration),
      seed: recipe.seed,
      goals: recipe.goals,
      ignore: recipe.ignore,
      target: runsOn.target,
      codec: { encode: writeModel, decode: (bytes) => readModel(bytes, { path: target }) },
      noteBytes: encode(float).length - writeModel(float).length,
      hash: sha256Of,
      // Who judges is part of what a step in the cache says.
      version: `${version()}, judged by ${missing === undefined ? 'the engine' : 'onnxruntime'}`,
      cache: await openStepCache(options.cache ?? `${target}.hone-cache`),
      ...(options.onStep && { onStep: options.onStep }),
      clock: () => performance.now(),
      ...(options.onProgress && { onProgress: options.onProgress }),
      ...(signal && { signal }),
    });
    const bytes = encode(result.graph);
    await writeFileAtomically(target, bytes);
    const { shares, groups } = engineView(prepareForEngine(result.graph));
    const last = result.steps[result.bestStep - 1]?.method;
    const larger = last === 'quantize' ? largerFile(bytes.length, model.bytes.length) : undefined;
    const models = [float, ...result.models];
    const timed = missing === undefined ? await engineLatencies(models, model.float16Ports) : undefined;
    const latencyOf = (index: number): EngineLatency =>
      timed?.latencies[index] ?? { p50Us: null, reason: missing ?? 'not timed' };
    const report: RecipeReport = {
      format: 'hone-recipe-report',
      version: 1,
      hone: version(),
      model: { path: model.path, sha256: model.hash },
      result: { path: target, sha256: sha256Of([bytes]), steps: result.bestStep, ...result.best },
      recipe: resolved,
      target: runsOn.record,
      recommendedSteps,
      metric,
      samples: data.counts,
      baseline: { ...result.baseline, latency: latencyOf(0) },
      steps: result.steps.map((record, index) => ({
        ...record,
        options: steps[record.index].options,
        latency: latencyOf(index + 1),
      })),
      load: timed?.load ?? null,
      engine: { shares, groups },
      leftOut: result.leftOut,
      test: data.test && !result.interrupted ? await readTest(judge(data.test), float, result.graph) : null,
      missed: result.missed,
      interrupted: result.interrupted,
      diagnostics: [...warnings, ...result.diagnostics, ...(larger ? [larger] : [])],
    };
    await writeFileAtomically(reportPath(target), `${toJson(report, 2)}\n`);
    return report;
  } finally {
    await reference.close();
  }
}

function fewWarning(message: string): Diagnostic {
  return { severity: 'warning', kind: 'few-samples', where: 'data.validation', message };
}

function engineWarning(missing: string): Diagnostic {
  const message = `${missing}; quantized models are measured in onnxruntime, latency is not`;
  return { severity: 'warning', kind: 'no-engine', where: 'native engine', message };
}

/** @throws E_FILE_NOT_FOUND, E_OPTION_VALUE for a plan */
async function openTeachers(
  paths: Recipe['teachers'],
  folder: string,
  place: string,
  samples: Dataset,
): Promise<Map<string, Graph>> {
  const teachers = new Map<string, Graph>();
  for (const [name, path] of Object.entries(paths)) {
    const artifact = await openArtifact(resolve(folder, path));
    if (artifact.kind !== 'model')
      throw new HoneError('E_OPTION_VALUE', {
        option: `${place}teachers.${name}`,
        expected: 'an ONNX model to learn from',
        found: `the plan ${artifact.path}`,
      });
    const graph = bindForSamples(artifact.graph, samples);
    teachers.set(name, requireConsistent(prepare(graph, { batchNorm: 'keep' })));
  }
  return teachers;
}

/** The only reading of the test samples: before and after. */
async function readTest(
  { score, detailOf }: RecipeScorer,
  float: Graph,
  result: Graph,
): Promise<NonNullable<RecipeReport['test']>> {
  const [before, after] = [await score(float), await score(result)];
  const { interval95, dropStandardError } = detailOf(result)!;
  return { before, after, interval95, dropStandardError };
}

function sha256Of(parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
