import { quantile } from '../lib/telemetry/statistics';

/** Something to time: one inference per call. A promise that it returns is awaited within the measurement. */
export interface Subject {
  readonly name: string;
  readonly run: () => unknown;
}

/** Quartiles and the least of a series. */
export interface Spread {
  readonly least: number;
  readonly q1: number;
  readonly median: number;
  readonly q3: number;
}

export interface TimingOptions {
  /** Rounds to record; each subject runs once per round. */
  readonly rounds: number;
  /** Rounds to throw away first. */
  readonly warmUp: number;
  /** Inferences per sample, back to back; the sample is their mean. */
  readonly repeat: number;
}

/** An inference shorter than this is timed several at a time. */
const SHORT_US = 50;
/** Length that a sample of short inferences should have: longer ones meet the scheduler more often. */
const SAMPLE_US = 100;

/**
 * Microseconds per inference of each subject, round by round. The subjects take turns, and who begins moves on by one each
 * round, so that drifts of the machine and the caches that the other leaves behind hit all of them alike.
 */
export async function timeInterleaved(subjects: readonly Subject[], options: TimingOptions): Promise<Float64Array[]> {
  const { rounds, warmUp, repeat } = options;
  const series = subjects.map(() => new Float64Array(rounds));
  for (let round = -warmUp; round < rounds; round++) {
    for (let turn = 0; turn < subjects.length; turn++) {
      const index = (round + warmUp + turn) % subjects.length;
      const us = await timeOnce(subjects[index], repeat);
      if (round >= 0) series[index][round] = us;
    }
  }
  return series;
}

/** Inferences per sample that suit these subjects: 1, or enough for `SAMPLE_US` when one of them is short. */
export async function chooseRepeat(subjects: readonly Subject[]): Promise<number> {
  const series = await timeInterleaved(subjects, { rounds: 20, warmUp: 20, repeat: 1 });
  return repeatFor(Math.min(...series.map(median)));
}

/** Inferences per sample when the quickest subject takes `us`. */
export function repeatFor(us: number): number {
  return us >= SHORT_US ? 1 : Math.ceil(SAMPLE_US / Math.max(us, 0.1));
}

/** Middle of the values. */
export function median(values: ArrayLike<number>): number {
  return quantile(values, 0.5);
}

/** Quartiles and least of the values. */
export function spreadOf(values: ArrayLike<number>): Spread {
  const [least, q1, median, q3] = [0, 0.25, 0.5, 0.75].map((fraction) => quantile(values, fraction));
  return { least, q1, median, q3 };
}

/** Spread of a ÷ b, pair by pair. */
export function ratioSpread(a: ArrayLike<number>, b: ArrayLike<number>): Spread {
  return spreadOf(Float64Array.from(a, (value, index) => value / b[index]));
}

async function timeOnce({ run }: Subject, repeat: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < repeat; i++) {
    const pending = run();
    if (pending !== undefined) await pending;
  }
  return ((performance.now() - start) * 1000) / repeat;
}
