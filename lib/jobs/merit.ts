import { largestAlong, natsOf, type Task } from '../compress/task';
import { addNoise, largest, type NoiseSums, pairedDifference, wilsonInterval } from '../telemetry/statistics';

/** All outputs of one sample or of several, each with its extents. */
export type OutputValues = readonly { readonly values: readonly number[]; readonly dims: readonly number[] }[];

/** How well a network did on one sample. */
export interface Merit {
  /** Share of right classes: 0 or 1 for one class per sample. Undefined where the outputs are numbers. */
  readonly share: number | undefined;
  /** Whether it is one class, not many positions. */
  readonly whole: boolean;
  /** Power and error of each float output; none without a float model. */
  readonly noises: readonly NoiseSums[];
  /** Mean `-ln p` of the next tokens. */
  readonly nats: number | undefined;
}

/** One sample to judge. */
export interface JudgedSample {
  readonly found: OutputValues;
  /** Those of the float model; undefined where there are labels or none. */
  readonly expected: OutputValues | undefined;
  readonly label: number | undefined;
  /** What a sequence was read from. */
  readonly tokens: readonly number[] | undefined;
}

const SILENT: NoiseSums = { signal: 0, noise: 0 };

/** What one sample says of a network; `found` and `expected` have a leading extent of 1. */
export function judgeSample(task: Task, { found, expected, label, tokens }: JudgedSample): Merit {
  const [output] = found;
  const noises = (expected ?? []).map(({ values }, at) => addNoise(SILENT, values, found[at].values));
  if (task.kind === 'numbers') return { share: undefined, whole: false, noises, nats: undefined };
  if (task.kind === 'classes') {
    const wanted = label ?? (expected && largest(expected[0].values));
    return { share: Number(largest(output.values) === wanted), whole: true, noises, nats: undefined };
  }
  const { axis, form } = task;
  const classes = largestAlong(output.values, output.dims, axis);
  const wanted = expected && largestAlong(expected[0].values, expected[0].dims, axis);
  const right = classes.reduce((sum, value, at) => sum + Number(value === wanted?.[at]), 0);
  const nats = tokens && natsOf(output.values, output.dims[axis], tokens, form);
  return { share: right / classes.length, whole: false, noises, nats };
}

/** Quality over samples, and how sure it is. */
export interface Quality {
  /** Mean share of right classes, or 1 less the relative error (0 where that is beyond 1). */
  readonly score: number;
  /** 95 % interval of the score: Wilson for one class per sample, else from the spread over samples. */
  readonly interval95: readonly [low: number, high: number];
  /** Standard error of the difference from the baseline, from the paired samples. */
  readonly dropStandardError: number;
  /** Mean `-ln p` of the next tokens, in nats; undefined where nothing foretells any. */
  readonly nats?: number;
}

/** The quality of a network by its samples, beside those of the baseline (the same samples in the same order). */
export function qualityOf(merits: readonly Merit[], baseline: readonly Merit[]): Quality {
  const { length } = merits;
  const nats = merits.every((merit) => merit.nats !== undefined) ? mean(merits.map((merit) => merit.nats!)) : undefined;
  if (merits[0]?.share === undefined) return errorQuality(merits);
  const shares = merits.map(({ share }) => share!);
  const score = mean(shares);
  const paired =
    baseline.length === length
      ? pairedDifference(
          shares,
          baseline.map(({ share }) => share!),
        )
      : spreadOf(shares);
  return {
    score,
    interval95: merits[0].whole
      ? wilsonInterval(
          shares.reduce((sum, share) => sum + share, 0),
          length,
        )
      : around(score, spreadOf(shares).standardError),
    dropStandardError: paired.standardError,
    ...(nats !== undefined && { nats }),
  };
}

/**
 * Quality of numbers: the root of the mean squared error of all samples beside their power, outputs weighing alike. Its standard
 * error by linearisation of the ratios.
 */
export function errorQuality(merits: readonly Merit[]): Quality {
  const { length } = merits;
  const outputs = merits[0]?.noises.length ?? 0;
  const deviations = new Float64Array(length);
  let ratio = 0;
  for (let at = 0; at < outputs; at++) {
    const total = merits.reduce((sum, { noises }) => sum + noises[at].signal, 0);
    const noise = merits.reduce((sum, { noises }) => sum + noises[at].noise, 0);
    if (noise === 0) continue;
    const own = noise / total;
    ratio += own / outputs;
    merits.forEach(({ noises }, sample) => {
      deviations[sample] += (noises[at].noise - own * noises[at].signal) / total / outputs;
    });
  }
  const squares = deviations.reduce((sum, deviation) => sum + deviation ** 2, 0);
  const error = Math.sqrt(ratio);
  const standardError = error > 0 && length > 1 ? Math.sqrt((squares * length) / (length - 1)) / (2 * error) : 0;
  // A score below 0 is as bad as 0.
  const score = Math.max(0, 1 - error);
  return { score, interval95: around(score, standardError), dropStandardError: standardError };
}

function spreadOf(values: readonly number[]): { readonly standardError: number } {
  return pairedDifference(
    values.map(() => 0),
    values,
  );
}

function around(score: number, standardError: number): readonly [number, number] {
  return [Math.max(0, score - 1.96 * standardError), Math.min(1, score + 1.96 * standardError)];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
