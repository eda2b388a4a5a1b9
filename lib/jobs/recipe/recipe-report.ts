import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { ModelMeasure, StepRecord } from '../../compress/recipe/context';
import type { Recipe } from '../../compress/recipe/recipe-schema';
import type { LeftOutStep } from '../../compress/recipe/stage';
import type { Diagnostic } from '../../core/diagnostic';
import { HoneError } from '../../core/error';
import { fromJson } from '../../core/json';
import type { EngineView } from '../engine-shares';
import type { RecipeData } from './recipe-data';
import type { RecipeScorer } from './recipe-score';
import type { TargetRecord } from './recipe-target';

/**
 * Median and least latency of one inference on the native engine of this machine, in microseconds, or why there is none. Models
 * of one report are timed in turns; the least tells them apart even where the machine is busy.
 */
export type EngineLatency =
  | { readonly p50Us: number; readonly leastUs: number }
  | { readonly p50Us: null; readonly reason: string };

/** How busy a machine is. */
export interface MachineLoad {
  /** Processes that ran or wanted to, on average over the last minute. */
  readonly perMinute: number;
  readonly processors: number;
}

/** A step of a report. */
export interface ReportStep extends StepRecord {
  readonly options: unknown;
  readonly latency: EngineLatency;
}

/** What a recipe did: the JSON file beside its result. */
export interface RecipeReport {
  readonly format: 'hone-recipe-report';
  readonly version: 1;
  /** Version of the program. */
  readonly hone: string;
  readonly model: { readonly path: string; readonly sha256: string };
  /** The file that was written; null when the run was interrupted before there was one. */
  readonly result: ModelMeasure & { readonly path: string; readonly sha256: string; readonly steps: number };
  readonly recipe: Recipe;
  readonly target: TargetRecord;
  /** Whether the recipe left the steps open. */
  readonly recommendedSteps: boolean;
  readonly metric: RecipeScorer['metric'];
  readonly samples: RecipeData['counts'];
  readonly baseline: ModelMeasure & { readonly latency: EngineLatency };
  readonly steps: readonly ReportStep[];
  /** How busy the machine was when latencies were measured; null when none were. */
  readonly load: MachineLoad | null;
  /** How the native engine runs the result. */
  readonly engine: Omit<EngineView, 'missing'>;
  readonly leftOut: readonly LeftOutStep[];
  /** Quality of both models on the test samples; null without such samples. */
  readonly test: {
    readonly before: number;
    readonly after: number;
    /** 95 % interval of `after`, and standard error of the difference. */
    readonly interval95: readonly [low: number, high: number];
    readonly dropStandardError: number;
  } | null;
  readonly missed: readonly string[];
  readonly interrupted: boolean;
  readonly diagnostics: readonly Diagnostic[];
}

/** Path of the report beside a model. */
export function reportPath(model: string): string {
  return `${model}.report.json`;
}

const head = z.looseObject({ format: z.literal('hone-recipe-report'), version: z.literal(1) });

/**
 * The report at a path: of a model when it is one, or the report itself.
 * @throws E_REPORT
 */
export async function readReport(path: string): Promise<RecipeReport> {
  const file = path.endsWith('.json') ? path : reportPath(path);
  try {
    return head.parse(fromJson(await readFile(file, 'utf8'))) as unknown as RecipeReport;
  } catch (error) {
    const reason =
      error instanceof z.ZodError ? 'it is no recipe report of this version' : (error as Error).message.split('\n')[0];
    throw new HoneError('E_REPORT', { path: file, reason }, { cause: error });
  }
}
