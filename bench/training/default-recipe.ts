import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { percentText } from '../../lib/cli/text';
import type { StructuredReport } from '../../lib/compress/structured/structured-report';
import { writeNpz } from '../../lib/data/npz';
import type { Dataset } from '../../lib/ir/dataset';
import { type Tensor, tensorFrom, tensorOf, viewAs } from '../../lib/ir/tensor';
import { openArtifact } from '../../lib/jobs/artifact';
import { requireModel } from '../../lib/jobs/make-plan';
import { compressByRecipe } from '../../lib/jobs/recipe/recipe';
import { parseRecipe } from '../../lib/jobs/recipe/recipe-file';
import type { RecipeReport } from '../../lib/jobs/recipe/recipe-report';
import { writeFileAtomically } from '../../lib/jobs/write-file';
import { writeModel } from '../../lib/onnx/write-model';
import { createReferenceEvaluate } from '../../lib/reference/evaluate';
import { cosine } from '../../lib/train/schedules';
import { sgd } from '../../lib/train/sgd';
import { train } from '../../lib/train/train';
import { buildLenet5 } from '../demo/lenet5';
import { ROOT } from '../environment';
import type { TrialContext, TrialOutcome, TrialRecord } from '../trial';
import { cachedNet } from './cached-net';
import { cifarSamples, kwsSamples, lackingSamples, mnistSamples, part, type SAMPLE_FILES } from './samples';
import { SEEDS } from './seeds';

/** Points of accuracy that the recipe may cost. */
const MAX_DROP = 1;
/** Runs that must meet the goal, of all. */
const BAR = { met: 14, of: 15 } as const;
/** Share of a goal of MACs below which it is overshot, and what tells that a result stops short of it. */
const NEAR = 0.95;
const SHORT: readonly string[] = ['one-step-short', 'rolled-back'];
/** Training digits that a recipe gets; others train LeNet-5. */
const DIGITS = 10_000;

/** A model with labelled samples: what a user has who names no steps. */
interface Case {
  readonly label: string;
  readonly set: keyof typeof SAMPLE_FILES;
  /** Path of the model, made where it is not there. */
  readonly model: (dataFolder: string) => Promise<string>;
  readonly samples: (dataFolder: string) => { readonly training: Dataset; readonly test: Dataset };
}

const CASES: readonly Case[] = [
  { label: 'mnist-8', set: 'mnist', model: shipped('mnist-8'), samples: (folder) => digits(folder, 'Input3', 255) },
  { label: 'LeNet-5', set: 'mnist', model: trainedLenet5, samples: (folder) => digits(folder, 'x', 1) },
  {
    label: 'dscnn',
    set: 'kws',
    model: shipped('dscnn_kws_mlperftiny'),
    samples: (folder) => whole(kwsSamples(folder, 'input')),
  },
  {
    label: 'resnet8',
    set: 'cifar',
    model: shipped('resnet8_cifar10_mlperftiny'),
    samples: (folder) => whole(cifarSamples(folder, 'raw')),
  },
  {
    label: 'resnet20',
    set: 'cifar',
    model: shipped('resnet20_cifar10'),
    samples: (folder) => whole(cifarSamples(folder, 'normalized')),
  },
];

/** Runs by network and seed. */
export const DEFAULT_RECIPE_PARTS: readonly string[] = CASES.flatMap(({ label }) =>
  SEEDS.map((seed) => partName(label, seed)),
);

function partName(label: string, seed: number): string {
  return `${label}/${seed}`;
}

/**
 * A recipe that names no steps, on five networks with three seeds. Finished steps stay in `.cache/training`: a run that was stopped
 * goes on, one with other code or options begins anew.
 */
export async function runDefaultRecipe({ dataFolder, say, wants }: TrialContext): Promise<TrialOutcome> {
  const records: TrialRecord[] = [];
  const skipped: string[] = [];
  const table = [
    ['model', 'seed', 'float', 'int8', 'drop on test samples', 'MACs', 'MACs goal', 'short or missed', 'met'],
  ];
  const missed: string[] = [];
  let runs = 0;
  let met = 0;
  for (const entry of CASES) {
    const seeds = SEEDS.filter((seed) => wants(partName(entry.label, seed)));
    if (seeds.length === 0) continue;
    const lacking = lackingSamples(dataFolder, entry.set);
    if (lacking) {
      skipped.push(`default-recipe ${entry.label}: ${lacking} is not there`);
      continue;
    }
    for (const seed of seeds) {
      say(`default-recipe: ${entry.label}, seed ${seed}`);
      const report = await compressOne(entry, seed, dataFolder);
      const { record, row, kept, macsMet, diverged } = judge(entry.label, seed, report);
      records.push(record);
      table.push(row);
      runs++;
      met += Number(kept);
      if (!macsMet)
        missed.push(
          `default-recipe ${entry.label}, seed ${seed}: MACs are neither at the goal nor is the step short of it named`,
        );
      if (diverged) missed.push(`default-recipe ${entry.label}, seed ${seed}: training diverged`);
    }
  }
  const least = Math.ceil((BAR.met / BAR.of) * runs);
  if (met < least) missed.push(`default-recipe: the goal is met in ${met} of ${runs} runs (at least ${least})`);
  return { records, table, skipped, missed };
}

async function compressOne(entry: Case, seed: number, dataFolder: string): Promise<RecipeReport> {
  const folder = join(ROOT, '.cache/training/default-recipe', entry.label);
  mkdirSync(folder, { recursive: true });
  const samples = entry.samples(dataFolder);
  for (const name of ['training', 'test'] as const) {
    const path = join(folder, `${name}.npz`);
    if (!existsSync(path)) await writeFileAtomically(path, writeNpz(await arraysOf(samples[name])));
  }
  const recipe = { seed, data: { training: 'training.npz', test: 'test.npz' }, goals: { maxDrop: MAX_DROP } };
  const model = requireModel(await openArtifact(await entry.model(dataFolder)), 'compress');
  const source = { recipe: parseRecipe(recipe), folder, place: '' };
  return compressByRecipe(model, { source, target: join(folder, `seed-${seed}.onnx`) });
}

function judge(label: string, seed: number, report: RecipeReport) {
  const { test, steps, result, leftOut, missed, recipe, samples } = report;
  const { before, after, dropStandardError } = test!;
  const drop = before - after;
  const kept = drop <= MAX_DROP / 100 + dropStandardError;
  const structured = steps.find(({ method }) => method === 'prune-structured');
  const { macs, goal } = (structured?.report ?? {}) as Partial<StructuredReport>;
  const short = [
    ...(structured?.diagnostics ?? []).filter(({ kind }) => SHORT.includes(kind)).map(({ message }) => message),
    ...leftOut.filter(({ method }) => method === 'prune-structured').map(({ reason }) => reason),
  ].at(0);
  const near = macs !== undefined && goal !== undefined && macs.share <= goal.share && macs.share >= NEAR * goal.share;
  const macsMet = near && !structured?.asked ? 'within' : structured && short ? 'short, named' : 'no';
  const diverged = steps.some(({ diagnostics = [] }) => diagnostics.some(({ kind }) => kind === 'training-diverged'));
  const record: TrialRecord = {
    model: label,
    seed,
    samples,
    steps: recipe.steps,
    augment: recipe.data.augment,
    test: { float: before, int8: after, drop, dropStandardError },
    met: kept,
    macs: macs?.share ?? null,
    macsGoal: goal ?? null,
    macsOfResult: result.macs / report.baseline.macs,
    rolledBack: structured?.rolledBack ?? null,
    asked: structured?.asked ?? null,
    short: short ?? null,
    tries: structured?.tries ?? leftOut.find(({ index }) => index === 0)?.tries ?? null,
    macsMet,
    leftOut,
    missed,
    diverged,
  };
  const row = [
    label,
    String(seed),
    percentText(before),
    percentText(after),
    `${(100 * drop).toFixed(2)} ± ${(100 * dropStandardError).toFixed(2)}`,
    percentText(result.macs / report.baseline.macs),
    macsMet,
    [short ?? '', ...missed].join('; ').slice(0, 100),
    kept ? 'yes' : 'no',
  ];
  return { record, row, kept, macsMet: macsMet !== 'no', diverged };
}

function shipped(name: string): Case['model'] {
  return async (dataFolder) => resolve(dataFolder, 'models', `${name}.onnx`);
}

/** LeNet-5 trained for a few epochs on digits that the recipe does not see. */
async function trainedLenet5(dataFolder: string): Promise<string> {
  const path = join(ROOT, '.cache/training/default-recipe', 'lenet5.onnx');
  const settings = { epochs: 3, batchSize: 64, seed: 1 };
  const reference = createReferenceEvaluate();
  try {
    const net = await cachedNet('default-recipe-lenet5', settings, () =>
      train(
        buildLenet5(1),
        part(mnistSamples(dataFolder).training, DIGITS, DIGITS + 20_000),
        { ...settings, learningRate: cosine(0.05), optimizer: sgd({ weightDecay: 5e-4 }) },
        reference.evaluate,
      ),
    );
    await writeFileAtomically(path, writeModel(net));
    return path;
  } finally {
    await reference.close();
  }
}

/** Digits under another name, with pixels from 0 to `scale`. */
function digits(folder: string, input: string, scale: number): { training: Dataset; test: Dataset } {
  const { training, test } = mnistSamples(folder);
  return { training: renamed(part(training, 0, DIGITS), input, scale), test: renamed(test, input, scale) };
}

function renamed(dataset: Dataset, input: string, scale: number): Dataset {
  const [[, spec]] = dataset.inputs;
  return {
    ...dataset,
    inputs: new Map([[input, spec]]),
    async *batches(options) {
      for await (const batch of dataset.batches(options)) {
        const [[, tensor]] = batch.inputs;
        const pixels = viewAs(tensor, 'float32').map((value) => value * scale);
        yield { ...batch, inputs: new Map([[input, tensorOf('float32', tensor.dims, pixels)]]) };
      }
    },
    select: (indices) => renamed(dataset.select(indices), input, scale),
  };
}

/** Training and validation samples together: the recipe parts them itself. */
function whole({ training, validation, test }: { training: Dataset; validation: Dataset; test: Dataset }) {
  return { training: joined(training, validation), test };
}

function joined(first: Dataset, second: Dataset): Dataset {
  return {
    ...first,
    count: first.count + second.count,
    async *batches(options) {
      for (const dataset of [first, second]) yield* dataset.batches(options);
    },
    select: () => {
      throw new Error('joined samples are read as a whole');
    },
  };
}

async function arraysOf(dataset: Dataset): Promise<Map<string, Tensor>> {
  const values: number[][] = [];
  const labels: number[] = [];
  const [[name, { dims }]] = dataset.inputs;
  for await (const { inputs, labels: own } of dataset.batches({ size: 100 })) {
    values.push([...viewAs(inputs.get(name)!, 'float32')]);
    labels.push(...own!);
  }
  return new Map([
    [name, tensorOf('float32', [dataset.count, ...dims], Float32Array.from(values.flat()))],
    ['labels', tensorFrom('int64', [labels.length], labels)],
  ]);
}
