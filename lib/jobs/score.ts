import type { Task } from '../compress/task';
import { addNoise, largest, pairedDifference, sqnrDb, wilsonInterval } from '../telemetry/statistics';
import { errorQuality, judgeSample, type Merit, type OutputValues, qualityOf } from './merit';

/** Quality of a network. A number that cannot be told is null, and `reasons` says why. */
export interface Score {
  /** What the first output is: one class per sample, one per position, or numbers that mean themselves. */
  readonly task: Task['kind'];
  /** Share of samples whose largest output is at the label, 0..1. */
  readonly accuracy: number | null;
  /** 95 % interval of the accuracy (Wilson). */
  readonly accuracyInterval95: readonly [low: number, high: number] | null;
  /** Accuracy of the float model on the same samples. */
  readonly floatAccuracy: number | null;
  /** Accuracy lost against the float model; negative when it is better. */
  readonly drop: number | null;
  /** Standard error of `drop`, from the paired samples. */
  readonly dropStandardError: number | null;
  /** Share of samples (or of positions) where the largest output is that of the float model, 0..1. */
  readonly agreement: number | null;
  /** 95 % interval of the agreement: Wilson for samples, from the spread over samples for positions. */
  readonly agreementInterval95: readonly [low: number, high: number] | null;
  /** Root mean square error of the outputs beside those of the float model, as a share of their power. */
  readonly relativeError: number | null;
  /** 95 % interval of the relative error. */
  readonly relativeErrorInterval95: readonly [low: number, high: number] | null;
  /** Signal to quantization noise ratio of the first output against the float model, over all samples, in decibels; Infinity when they are equal. */
  readonly sqnrDb: number | null;
  /** Why a number is null, by its name. */
  readonly reasons: Readonly<Partial<Record<Measure, string>>>;
  /** Mean `-ln p` of each next token at the position before it, in nats, and that of the float model; of sequences of tokens alone. */
  readonly nats?: number;
  readonly floatNats?: number;
}

type Measure = Exclude<keyof Score, 'reasons' | 'task' | 'nats' | 'floatNats'>;

/** What a sample gave, and what the float model gave for it. */
export interface ScoredSample {
  readonly found: OutputValues;
  readonly float: OutputValues | undefined;
  readonly label: number | undefined;
  /** What a sequence was read from. */
  readonly tokens?: readonly number[] | undefined;
}

/** Judges outputs sample by sample; keeps a few numbers per sample, not the outputs. */
export class Scorer {
  private readonly task: Task;
  private readonly labelled: boolean;
  private readonly noFloat: string | undefined;
  private readonly hits: number[] = [];
  private readonly floatHits: number[] = [];
  private readonly merits: Merit[] = [];
  private readonly floatNats: (number | undefined)[] = [];
  private noise = { signal: 0, noise: 0 };

  /** `noFloat`: why there is no float model to compare with, if there is none. */
  constructor(task: Task, labelled: boolean, noFloat: string | undefined) {
    this.task = task;
    this.labelled = labelled;
    this.noFloat = noFloat;
  }

  /** Samples seen so far. */
  get samples(): number {
    return this.hits.length;
  }

  add({ found, float, label, tokens }: ScoredSample): void {
    this.hits.push(Number(largest(found[0].values) === label));
    // Beside the float model alone: labels are counted above.
    this.merits.push(judgeSample(this.task, { found, expected: float, label: undefined, tokens }));
    if (float === undefined) return;
    this.floatHits.push(Number(largest(float[0].values) === label));
    this.floatNats.push(judgeSample(this.task, { found: float, expected: undefined, label: undefined, tokens }).nats);
    this.noise = addNoise(this.noise, float[0].values, found[0].values);
  }

  score(): Score {
    const { task, labelled, noFloat, hits, floatHits, samples, merits } = this;
    const reasons: Partial<Record<Measure, string>> = {};
    const tell = <T>(names: readonly Measure[], obstacle: string | undefined, value: () => T): T | null => {
      if (obstacle === undefined) return value();
      for (const name of names) reasons[name] = obstacle;
      return null;
    };
    const noLabels = labelled ? undefined : 'the data has no labels';
    const ratio = sqnrDb(this.noise);
    const noRatio =
      noFloat ?? (Number.isFinite(this.noise.noise + this.noise.signal) ? undefined : 'an output is not finite');
    const difference = tell(['drop', 'dropStandardError'], noFloat ?? noLabels, () =>
      pairedDifference(hits, floatHits),
    );
    const numbers = task.kind === 'numbers';
    const noClasses = noFloat ?? (numbers ? 'the outputs are numbers, not classes' : undefined);
    const [nats, floatNats] = [merits.map((merit) => merit.nats), this.floatNats].map(meanOrNone);
    const agreement = tell(['agreement', 'agreementInterval95'], noClasses, () => qualityOf(merits, merits));
    const error = tell(['relativeError', 'relativeErrorInterval95'], noFloat, () => errorQuality(merits));
    return {
      task: task.kind,
      accuracy: tell(['accuracy'], noLabels, () => mean(hits)),
      accuracyInterval95: tell(['accuracyInterval95'], noLabels, () => wilsonInterval(sum(hits), samples)),
      floatAccuracy: tell(['floatAccuracy'], noFloat ?? noLabels, () => mean(floatHits)),
      drop: difference?.mean ?? null,
      dropStandardError: difference?.standardError ?? null,
      agreement: agreement?.score ?? null,
      agreementInterval95: agreement?.interval95 ?? null,
      relativeError: error && 1 - error.score,
      relativeErrorInterval95: error && [1 - error.interval95[1], 1 - error.interval95[0]],
      sqnrDb: tell(['sqnrDb'], noRatio, () => ratio),
      reasons,
      ...(nats !== undefined && { nats }),
      ...(floatNats !== undefined && { floatNats }),
    };
  }
}

function meanOrNone(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === values.length && known.length > 0 ? mean(known) : undefined;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}
