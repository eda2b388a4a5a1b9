import { isAbsolute, join, resolve } from 'node:path';
import { type StepRecord, stepNotices } from '../compress/recipe/context';
import type { StructuredReport } from '../compress/structured/structured-report';
import { HoneError } from '../core/error';
import { requireFloat } from '../jobs/make-plan';
import { compressByRecipe, type RecipePlan } from '../jobs/recipe/recipe';
import { type RecipeSource, readRecipe } from '../jobs/recipe/recipe-file';
import type { RecipeReport } from '../jobs/recipe/recipe-report';
import { colors } from './colors';
import type { Console } from './console';
import { engineLines } from './engine-lines';
import { flag, integer, openModel, preprocessing, QUANTIZE, text } from './flags';
import { signalExitCode } from './interrupt';
import { pointsText, qualityText, stepTable } from './step-table';
import { targetOf } from './target';
import { bytesText, diagnosticLines, judgedByText, percentText } from './text';
import type { OptionValues } from './verb';

/** Exit code of a run that misses a goal: its result is there, and it is the best that could be had. */
const GOAL_MISSED = 3;

/** Compresses by the steps of a recipe; the exit code, undefined for 0. @throws what `compressByRecipe` and `readRecipe` throw */
export async function byRecipe(
  given: string | undefined,
  recipePath: string,
  options: OptionValues,
  console: Console,
): Promise<number | undefined> {
  refuseOptions(options);
  const source = await changedBy(await readRecipe(recipePath), options);
  const path = given ?? modelOf(source);
  if (path === undefined)
    throw new HoneError('E_USAGE', {
      reason: `no model: neither the command nor ${recipePath} names one`,
      verb: 'compress',
    });
  const target = await targetOf(path, options, '.hone.onnx');
  const cache = text(options, 'cache');
  let metric: RecipePlan['metric'] = 'accuracy';
  const report = await compressByRecipe(requireFloat(await openModel(path, options, console), 'compress'), {
    source,
    target,
    ...(cache === undefined ? {} : { cache }),
    onPlan: (plan) => {
      metric = plan.metric;
      sayPlan(plan, console);
    },
    onStep: (record) => {
      for (const line of [stepLine(record, metric), ...structuredLines(record)]) console.say(line);
    },
    onProgress: (what, done, total) => console.progress(what, done, total),
    signal: console.signal,
  });
  console.result(report);
  sayReport(report, options.verbose === true, console);
  if (report.interrupted) return signalExitCode(console.signal) ?? 1;
  return report.missed.length > 0 ? GOAL_MISSED : undefined;
}

/** @throws E_USAGE for options of int8 compression: a recipe says those itself */
function refuseOptions(options: OptionValues): void {
  const flags = QUANTIZE.map(({ flags: text }) => text.split(' ')[0]);
  const given = flags.find((name) => Object.keys(options).some((option) => flag(option) === name));
  if (given !== undefined)
    throw new HoneError('E_USAGE', {
      reason: `${given} has no effect with --recipe: its steps say it`,
      verb: 'compress',
    });
}

/** Path of the model that a recipe names, as the user would type it. */
function modelOf({ recipe: { model }, folder }: RecipeSource): string | undefined {
  return model === undefined || isAbsolute(model) ? model : join(folder, model);
}

/** The recipe with what the command line says instead. */
async function changedBy(source: RecipeSource, options: OptionValues): Promise<RecipeSource> {
  const { recipe } = source;
  const data = text(options, 'data');
  const seed = integer(options, 'seed', 0, 2 ** 32 - 1) ?? recipe.seed;
  const { augment } = recipe.data;
  const preprocess = (await preprocessing(options)).preprocess ?? recipe.data.preprocess;
  // The option counts from the working folder, the recipe from its own.
  const samples = data === undefined ? recipe.data : { training: resolve(data), ...(augment && { augment }) };
  return {
    ...source,
    recipe: { ...recipe, seed, data: { ...samples, ...(preprocess && { preprocess }) } as typeof recipe.data },
  };
}

/** What stands in for accuracy where there are no labels. */
const MEASURES: Partial<Record<RecipePlan['metric'], string>> = {
  agreement: 'their agreement with the float model',
  'agreement per position': 'the classes in which they agree with the float model, position by position',
  '1 - error':
    'the error of their outputs beside those of the float model, relative and root mean square: a point of maxDrop is a percent of it',
};

function sayPlan(plan: RecipePlan, console: Console): void {
  const { samples, steps, recommendedSteps, augment, warnings, metric } = plan;
  const counts = Object.entries(samples).map(([part, count]) => `${count} ${part}`);
  console.say(`samples: ${counts.join(', ')} (disjoint)`);
  const measure = MEASURES[metric];
  if (measure) console.say(`without labels: models are measured by ${measure}`);
  const why = recommendedSteps ? ' (recommended: the recipe names none)' : '';
  console.say(`steps: ${steps.join(', ')}${why}`);
  const changes = [
    ...(augment.shift > 0 ? [`shifted by up to ${augment.shift} pixels`] : []),
    ...(augment.flip ? ['mirrored'] : []),
  ];
  if (changes.length > 0) console.say(`training pictures are ${changes.join(' and ')} at random`);
  for (const line of diagnosticLines(warnings)) console.say(colors.yellow(line));
}

function stepLine(record: StepRecord, metric: RecipePlan['metric']): string {
  const { method, drop, bytes, rolledBack, asked, cached } = record;
  const without =
    rolledBack.length > 0 ? `, ${rolledBack.length} layer${rolledBack.length === 1 ? '' : 's'} left alone` : '';
  const from = cached ? ' (from the cache)' : '';
  const less = asked === undefined ? '' : ` (${asked})`;
  return `  ${method}${less}: ${qualityText(record, metric)}, drop ${pointsText(drop)}, ${bytesText(bytes)}${without}${from}`;
}

function testLine(test: NonNullable<RecipeReport['test']>, metric: RecipePlan['metric']): string {
  const { before, after, interval95, dropStandardError } = test;
  const [was, is] = [{ accuracy: before }, { accuracy: after, interval95 }].map((scored) =>
    qualityText(scored, metric),
  );
  return `test samples: ${was} before, ${is} after: drop ${pointsText(before - after)} ± ${pointsText(dropStandardError)} points`;
}

/** What structured pruning left, by the count and by the kernels that will run it. */
function structuredLines({ method, report }: StepRecord): string[] {
  if (method !== 'prune-structured') return [];
  const { macs, modelledTime } = report as StructuredReport;
  const source = modelledTime.measured ? 'by measured layer times' : 'as modelled';
  const time = `${percentText(modelledTime.share)} of the time on ${modelledTime.isa}, ${source}`;
  return [`    ${percentText(macs.share)} of the MACs are left; they take ${time}`];
}

/** One row per step, then what was written and what was missed. */
function sayReport(report: RecipeReport, verbose: boolean, console: Console): void {
  const { steps, result, leftOut, missed, test, interrupted } = report;
  console.say();
  for (const line of stepTable(report)) console.say(line);
  for (const { index, method, reason } of leftOut)
    console.say(colors.yellow(`left out steps[${index}].${method}: ${reason}`));
  const ofFile = report.diagnostics.filter(({ where }) => where === 'file');
  const notices = [...steps.flatMap(stepNotices), ...ofFile];
  for (const line of diagnosticLines(notices, verbose)) console.say(colors.yellow(line));
  if (test) console.say(testLine(test, report.metric));
  if (result.judgedBy) console.say(`(${judgedByText(result.judgedBy)})`);
  for (const line of engineLines(report.engine, verbose)) console.say(line);
  const behind = result.steps < steps.length ? `, after ${result.steps} of ${steps.length} steps, the smallest` : '';
  console.say(`wrote ${result.path}: ${bytesText(result.bytes)}${behind}; \`hone explain ${result.path}\` says why`);
  if (interrupted)
    console.note(`interrupted after ${steps.length} steps: the best so far is written; the same command goes on`);
  else if (missed.length > 0) console.note(colors.red(`goal missed, the best model was kept: ${missed.join('; ')}`));
}
