import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { percentText, timeText } from '../../lib/cli/text';
import { countMacs } from '../../lib/compress/count-macs';
import type { MethodContext } from '../../lib/compress/method';
import { quantize } from '../../lib/compress/quantize/quantize';
import { pruneStructured } from '../../lib/compress/structured/prune-structured';
import type { StructuredReport } from '../../lib/compress/structured/structured-report';
import type { EngineTarget } from '../../lib/compress/target';
import { parseOptions } from '../../lib/core/parse-options';
import { augment } from '../../lib/data/augment';
import type { Dataset } from '../../lib/ir/dataset';
import type { Evaluate, Graph } from '../../lib/ir/graph';
import { openArtifact } from '../../lib/jobs/artifact';
import { hostIsa, layerTimesOf } from '../../lib/jobs/layer-times';
import { requireModel } from '../../lib/jobs/make-plan';
import { prepare } from '../../lib/passes/pipeline';
import { createReferenceEvaluate } from '../../lib/reference/evaluate';
import { median } from '../timing';
import type { TrialContext, TrialOutcome, TrialRecord } from '../trial';
import { cachedNet } from './cached-net';
import { planOf, runOnEngine } from './engine-accuracy';
import { withMixtures } from './mixtures';
import { FACES, picturesFor } from './pictures';
import { cifarSamples, kwsSamples, lackingSamples, type SAMPLE_FILES, type Samples } from './samples';
import { meanOverSeeds, SEEDS } from './seeds';
import { timePair } from './time-pair';

/** A model that is pruned, and what is asked of it. */
interface Case {
  readonly model: string;
  readonly label: string;
  readonly set: keyof typeof SAMPLE_FILES;
  /** Further files below the data folder. */
  readonly files?: readonly string[];
  readonly batchNorm: 'keep' | 'fuse';
  readonly samplesOf: (folder: string, input: string) => Promise<Samples>;
  /** Training samples of a seed. */
  readonly widen: (training: Dataset, seed: number) => Promise<Dataset>;
  readonly options: object;
  /** Largest share of the MACs, least quotient of times, largest loss of accuracy (undefined: agreement is stated). */
  readonly bar: { readonly macs: number; readonly speed: number; readonly drop?: number };
}

const CASES: readonly Case[] = [
  {
    model: 'dscnn_kws_mlperftiny',
    label: 'dscnn',
    set: 'kws',
    batchNorm: 'fuse',
    samplesOf: (folder, input) => Promise.resolve(kwsSamples(folder, input)),
    widen: (training, seed) => withMixtures(training, 2160, seed),
    options: {
      criterion: 'output-error',
      macs: 0.65,
      rounds: 3,
      training: {
        epochs: 12,
        batchSize: 40,
        optimizer: 'adam',
        learningRate: 0.001,
        select: 'last',
      },
    },
    bar: { macs: 0.7, speed: 1.25, drop: 0.015 },
  },
  {
    model: 'mobilenetv1_025_vww96_mlperftiny',
    label: 'mobilenet',
    set: 'cifar',
    batchNorm: 'fuse',
    files: FACES,
    samplesOf: picturesFor,
    widen: (training) => Promise.resolve(augment(training, { shift: 4, flip: true })),
    options: {
      criterion: 'fpgm',
      macs: 0.6,
      training: {
        epochs: 4,
        batchSize: 32,
        optimizer: 'adam',
        learningRate: 0.001,
        select: 'last',
        distillation: { temperature: 2 },
      },
    },
    bar: { macs: 0.6, speed: 1 / 0.72 },
  },
  {
    model: 'resnet20_cifar10',
    label: 'resnet20',
    set: 'cifar',
    batchNorm: 'keep',
    samplesOf: (folder) => Promise.resolve(cifarSamples(folder, 'normalized')),
    widen: (training) => Promise.resolve(augment(training, { shift: 2, flip: true })),
    options: {
      criterion: 'fpgm',
      macs: 0.6,
      training: { epochs: 8, learningRate: 0.01, select: 'last' },
    },
    bar: { macs: 0.6, speed: 1.4, drop: 0.02 },
  },
];

/** Models and seeds, which `--only` may name: a model needs two of its seeds for a record. */
export const STRUCTURED_PARTS: readonly string[] = CASES.flatMap(({ label }) =>
  SEEDS.map((seed) => `${label}/${seed}`),
);

/** Structured pruning of three real networks: MACs, time and quality of the int8 form in the native engine. */
export async function runStructured(trial: TrialContext): Promise<TrialOutcome> {
  const { dataFolder, wants } = trial;
  const outcome = { records: [] as TrialRecord[], skipped: [] as string[], missed: [] as string[] };
  const table = [['model', 'MACs', 'float', 'int8', 'pruned int8', 'drop', 'agreement', 'time', 'faster', 'bars']];
  const reference = createReferenceEvaluate();
  try {
    for (const entry of CASES) {
      const seeds = SEEDS.filter((seed) => wants(`${entry.label}/${seed}`));
      if (seeds.length === 0) continue;
      const path = resolve(dataFolder, 'models', `${entry.model}.onnx`);
      const files = [path, ...(entry.files ?? []).map((file) => resolve(dataFolder, file))];
      const lacking = files.find((file) => !existsSync(file)) ?? lackingSamples(dataFolder, entry.set);
      if (lacking) {
        outcome.skipped.push(`structured ${entry.label}: ${lacking} is not there`);
        continue;
      }
      const result = await pruneCase(entry, path, seeds, trial, reference.evaluate);
      if (!result) {
        outcome.skipped.push(`structured ${entry.label}: one seed makes no record`);
        continue;
      }
      const { record, row, missed } = result;
      outcome.records.push(record);
      table.push(row);
      outcome.missed.push(...missed);
    }
  } finally {
    await reference.close();
  }
  return { ...outcome, table };
}

async function pruneCase(
  entry: Case,
  path: string,
  seeds: readonly number[],
  { dataFolder, pairs, say }: TrialContext,
  evaluate: Evaluate,
): Promise<{ record: TrialRecord; row: string[]; missed: string[] } | undefined> {
  const { label, bar } = entry;
  const model = requireModel(await openArtifact(path), 'compress').graph;
  const float = prepare(model, { batchNorm: entry.batchNorm }).graph;
  const samples = await entry.samplesOf(dataFolder, float.inputs[0]);
  const toInt8 = async (graph: Graph) => (await quantize(graph, { dataset: samples.calibration, evaluate })).graph;
  const whole = await toInt8(float);
  const target = { isa: hostIsa(), times: layerTimesOf(planOf(whole)) };
  const judged = await runOnEngine(float, samples.test);
  const wholeRun = await runOnEngine(whole, samples.test);
  const runs = [];
  for (const seed of seeds) {
    say(`structured: ${label}, seed ${seed}`);
    const pruned = await cachedNet(
      `structured-${label}`,
      { options: entry.options, widen: String(entry.widen), seed },
      () => pruneOnce(entry, float, samples, seed, target, evaluate),
    );
    const int8 = await toInt8(pruned);
    const run = await runOnEngine(int8, samples.test);
    const timing = await timePair(whole, int8, samples.test, pairs);
    runs.push({ seed, run, macs: countMacs(pruned) / countMacs(float), ...timing });
  }
  if (runs.length < 2) return undefined;
  const accuracy = meanOverSeeds(runs.map(({ run }) => run.accuracy));
  const agreement = meanOverSeeds(
    runs.map(({ run }) => shareOf(run.classes, (value, i) => value === judged.classes[i])),
  );
  const speed = median(runs.map(({ ratio }) => ratio));
  const macs = Math.max(...runs.map((run) => run.macs));
  const { drop, standardError } = pairedDrop(
    judged.hits,
    runs.map(({ run }) => run.hits),
  );
  const labelled = samples.test.hasLabels;
  const verdicts: [met: boolean, text: string][] = [
    [macs <= bar.macs, `MACs ${percentText(macs)} (at most ${percentText(bar.macs)})`],
    [speed >= bar.speed, `${speed.toFixed(3)}x faster (at least ${bar.speed.toFixed(3)}x)`],
  ];
  if (bar.drop !== undefined)
    verdicts.push([
      drop <= bar.drop + standardError,
      `drop ${percentText(drop)} ± ${percentText(standardError)} (at most ${percentText(bar.drop)})`,
    ]);
  return {
    record: {
      model: entry.model,
      seeds,
      options: entry.options,
      macs,
      accuracy: labelled ? { float: judged.accuracy, int8: wholeRun.accuracy, pruned: accuracy } : null,
      drop: labelled ? { mean: drop, standardError } : null,
      agreement,
      us: { whole: median(runs.map(({ wholeUs }) => wholeUs)), pruned: median(runs.map(({ prunedUs }) => prunedUs)) },
      isa: target.isa,
      speed: { median: speed, values: runs.map(({ ratio }) => ratio) },
      bar,
    },
    row: [
      label,
      percentText(macs),
      labelled ? percentText(judged.accuracy) : '',
      labelled ? percentText(wholeRun.accuracy) : '',
      labelled ? percentText(accuracy.mean) : '',
      labelled ? `${percentText(drop)} ± ${percentText(standardError)}` : '',
      percentText(agreement.mean),
      `${timeText(median(runs.map(({ wholeUs }) => wholeUs)))} -> ${timeText(median(runs.map(({ prunedUs }) => prunedUs)))}`,
      `${speed.toFixed(3)}x`,
      verdicts.every(([met]) => met) ? 'met' : 'missed',
    ],
    missed: verdicts.filter(([met]) => !met).map(([, text]) => `structured ${label}: ${text}`),
  };
}

async function pruneOnce(
  { options, widen }: Case,
  float: Graph,
  samples: Samples,
  seed: number,
  target: EngineTarget,
  evaluate: Evaluate,
): Promise<Graph> {
  const context: MethodContext = {
    data: {
      training: await widen(samples.training, seed),
      calibration: samples.calibration,
      validation: samples.validation,
    },
    evaluate,
    score: () => Promise.reject(new Error('the last epoch is taken')),
    teacher: float,
    seed,
    keep: new Set(),
    target,
  };
  const parsed = parseOptions(pruneStructured.options, options);
  const { graph, report } = await pruneStructured.apply(float, parsed, context);
  if ((report as StructuredReport).goal?.reached === false) throw new Error('the share of MACs was not reached');
  return graph;
}

/** Mean over seeds and samples of what is no longer right, and the standard error of that mean over samples. */
function pairedDrop(before: Uint8Array, after: readonly Uint8Array[]): { drop: number; standardError: number } {
  const changes = Array.from(before, (hit, i) => hit - after.reduce((sum, hits) => sum + hits[i], 0) / after.length);
  const drop = changes.reduce((sum, change) => sum + change, 0) / changes.length;
  const variance = changes.reduce((sum, change) => sum + (change - drop) ** 2, 0) / (changes.length - 1);
  return { drop, standardError: Math.sqrt(variance / changes.length) };
}

function shareOf(values: Int32Array, holds: (value: number, index: number) => boolean): number {
  return values.filter(holds).length / values.length;
}
