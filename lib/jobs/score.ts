import { addNoise, largest, pairedDifference, sqnrDb, wilsonInterval } from '../telemetry/statistics';

/** Quality of a classifier. A number that cannot be told is null, and `reasons` says why. */
export interface Score {
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
  /** Share of samples where the largest output is that of the float model, 0..1. */
  readonly agreement: number | null;
  /** Signal to quantization noise ratio of the first output against the float model, over all samples, in decibels. */
  readonly sqnrDb: number | null;
  /** Why a number is null, by its name. */
  readonly reasons: Readonly<Partial<Record<Measure, string>>>;
}

type Measure = Exclude<keyof Score, 'reasons'>;

/** Judges outputs sample by sample; keeps one bit per sample, not the outputs. */
export class Scorer {
  private readonly labelled: boolean;
  private readonly noFloat: string | undefined;
  private readonly hits: number[] = [];
  private readonly floatHits: number[] = [];
  private agreeing = 0;
  private noise = { signal: 0, noise: 0 };

  /** `noFloat`: why there is no float model to compare with, if there is none. */
  constructor(labelled: boolean, noFloat: string | undefined) {
    this.labelled = labelled;
    this.noFloat = noFloat;
  }

  /** Samples seen so far. */
  get samples(): number {
    return this.hits.length;
  }

  add(outputs: readonly number[], float: readonly number[] | undefined, label: number | undefined): void {
    const found = largest(outputs);
    this.hits.push(Number(found === label));
    if (float === undefined) return;
    const expected = largest(float);
    this.floatHits.push(Number(expected === label));
    this.agreeing += Number(expected === found);
    this.noise = addNoise(this.noise, float, outputs);
  }

  score(): Score {
    const { labelled, noFloat, hits, floatHits, samples } = this;
    const reasons: Partial<Record<Measure, string>> = {};
    const tell = <T>(names: readonly Measure[], obstacle: string | undefined, value: () => T): T | null => {
      if (obstacle === undefined) return value();
      for (const name of names) reasons[name] = obstacle;
      return null;
    };
    const noLabels = labelled ? undefined : 'the data has no labels';
    const ratio = sqnrDb(this.noise);
    const noRatio =
      noFloat ??
      (this.noise.noise === 0
        ? 'the outputs are equal'
        : Number.isFinite(ratio)
          ? undefined
          : 'an output is not finite');
    const difference = tell(['drop', 'dropStandardError'], noFloat ?? noLabels, () =>
      pairedDifference(hits, floatHits),
    );
    return {
      accuracy: tell(['accuracy'], noLabels, () => mean(hits)),
      accuracyInterval95: tell(['accuracyInterval95'], noLabels, () => wilsonInterval(sum(hits), samples)),
      floatAccuracy: tell(['floatAccuracy'], noFloat ?? noLabels, () => mean(floatHits)),
      drop: difference?.mean ?? null,
      dropStandardError: difference?.standardError ?? null,
      agreement: tell(['agreement'], noFloat, () => this.agreeing / samples),
      sqnrDb: tell(['sqnrDb'], noRatio, () => ratio),
      reasons,
    };
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}
