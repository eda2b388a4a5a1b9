import type { BenchModels } from './models';

/** What a trial works with. */
export interface TrialContext {
  /** Interleaved pairs per comparison. */
  readonly pairs: number;
  /** How long a trial with a length of its own is to last, when it is not that. */
  readonly seconds?: number;
  readonly models: BenchModels;
  /** Folder of real models and labelled data (see `HONE_TEST_DATA`). */
  readonly dataFolder: string;
  /** Tells the user what goes on. */
  readonly say: (line: string) => void;
  /** Whether a part of the trial is to run: all are unless `--only` names some. */
  readonly wants: (part: string) => boolean;
  /** Writes a result line at once: what a trial of many minutes has measured outlives its end. */
  readonly keep: (record: TrialRecord) => Promise<void>;
}

/** One result line; environment and trial name are added when it is written. */
export type TrialRecord = Readonly<Record<string, unknown>>;

/** What a trial found. */
export interface TrialOutcome {
  readonly records: readonly TrialRecord[];
  /** Table for people: header, then rows. */
  readonly table: readonly (readonly string[])[];
  /** What could not run here, and why. */
  readonly skipped: readonly string[];
  /** Bars that were missed, in words. */
  readonly missed: readonly string[];
}

/** One row of the table in `trials.ts`. */
export interface Trial {
  readonly name: string;
  /** What is measured, in one line. */
  readonly what: string;
  /** Takes many minutes: runs only when it is asked for by name. */
  readonly long?: boolean;
  /** Parts that can run alone, `model/seed` or `model/command`: what `--only` may name, or the model alone for all of its parts. */
  readonly parts?: readonly string[];
  readonly run: (context: TrialContext) => Promise<TrialOutcome>;
}
