import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { MethodData } from '../../compress/method';
import type { Recipe } from '../../compress/recipe/recipe-schema';
import { recommendAugment } from '../../compress/recipe/recommend-steps';
import { HoneError } from '../../core/error';
import { type PreprocessSpec, parsePreprocess } from '../../core/preprocess';
import { augment } from '../../data/augment';
import { guardCount } from '../../data/guard-count';
import { holdOut } from '../../data/hold-out';
import type { Dataset } from '../../ir/dataset';
import type { ModelArtifact } from '../artifact';
import { hashData } from '../hash-data';
import { openRecorded } from '../samples';

/** What the samples of a recipe are for. */
const PARTS = ['training', 'validation', 'calibration', 'test'] as const;
type Part = (typeof PARTS)[number];

/** The samples of a recipe, disjoint by index. */
export interface RecipeData extends MethodData {
  readonly test: Dataset | undefined;
  /** Text that changes with the samples, their order, and how they become inputs. */
  readonly identity: string;
  readonly counts: Readonly<Record<Part, number>>;
  /** Random changes of training pictures. */
  readonly augment: { readonly shift: number; readonly flip: boolean };
}

export interface RecipeDataOptions {
  readonly model: ModelArtifact;
  /** Paths start here. */
  readonly folder: string;
  /** Prefix of keys in messages. */
  readonly place: string;
  /** Whether changes of training pictures are chosen here where the recipe names none. */
  readonly recommend?: boolean;
}

/**
 * Opens the samples that a recipe names. What is missing is taken out of what is there, by index and the same way every time:
 * validation from training (or else calibration) samples, calibration from training samples.
 * @throws E_DATA_MISMATCH when there is too little, E_OPTION_VALUE when parts overlap, what `openDataset` throws
 */
export async function openRecipeData(spec: Recipe['data'], options: RecipeDataOptions): Promise<RecipeData> {
  const given: Partial<Record<Part, Samples>> = {};
  for (const part of PARTS) {
    const samples = spec[part];
    if (samples !== undefined) given[part] = await openSamples(samples, part, preprocessOf(spec), options);
  }
  requireDisjoint(given, options.place);
  const parts = splitParts(given, options.place);
  const count = (part: Part) => parts[part]?.count ?? 0;
  const none = { shift: 0, flip: false };
  const augmented =
    spec.augment ?? (options.recommend && parts.training ? recommendAugment(parts.training.inputs) : none);
  const { shift, flip } = augmented;
  return {
    training: parts.training && guardCount(augment(parts.training, augmented)),
    augment: { shift, flip },
    validation: guardCount(parts.validation),
    calibration: guardCount(parts.calibration),
    test: parts.test && guardCount(parts.test),
    identity: JSON.stringify([
      Object.entries(given).map(([part, { hash, from, to }]) => [part, hash, from, to]),
      spec.preprocess ?? null,
      { shift, flip },
    ]),
    counts: {
      training: count('training'),
      validation: count('validation'),
      calibration: count('calibration'),
      test: count('test'),
    },
  };
}

/** One part as the recipe gives it. */
interface Samples {
  readonly dataset: Dataset;
  readonly file: string;
  readonly hash: string;
  readonly from: number;
  readonly to: number;
}

type Parts = Partial<Record<Part, Dataset>> & Record<'validation' | 'calibration', Dataset>;

async function openSamples(
  samples: NonNullable<Recipe['data'][Part]>,
  part: Part,
  preprocess: { preprocess?: PreprocessSpec },
  { model, folder, place }: RecipeDataOptions,
): Promise<Samples> {
  const range = typeof samples === 'string' ? { path: samples } : samples;
  const path = resolve(folder, range.path);
  const { dataset: all } = await openRecorded(model, path, preprocess);
  const { from = 0, to = all.count } = range;
  const refuse = (key: string, expected: string, found: number) =>
    new HoneError('E_OPTION_VALUE', { option: `${place}data.${part}.${key}`, expected, found });
  if (to > all.count) throw refuse('to', `at most ${all.count}, the samples in ${path}`, to);
  if (from >= to) throw refuse('from', `an index below ${to}`, from);
  const dataset = from === 0 && to === all.count ? all : all.select(indices(from, to));
  return { dataset, file: await realpath(path), hash: await hashData(path), from, to };
}

function preprocessOf(spec: Recipe['data']): { preprocess?: PreprocessSpec } {
  return spec.preprocess === undefined ? {} : { preprocess: parsePreprocess(spec.preprocess) };
}

/** @throws E_OPTION_VALUE when two parts share samples */
function requireDisjoint(given: Partial<Record<Part, Samples>>, place: string): void {
  const parts = Object.entries(given);
  for (const [at, [part, { file, from, to }]] of parts.entries())
    for (const [other, samples] of parts.slice(0, at))
      if (samples.file === file && samples.from < to && from < samples.to)
        throw new HoneError('E_OPTION_VALUE', {
          option: `${place}data.${part}`,
          expected: `samples that are not among those of data.${other} (give ranges with from and to, or leave one of them out)`,
          found: `${from} to ${to} of ${file}`,
        });
}

/** Most samples that are taken out for a part, and the share of what is there. */
const TAKEN = {
  validation: { most: 5000, share: 0.2 },
  calibration: { most: 512, share: 0.1 },
} as const;

function splitParts(given: Partial<Record<Part, Samples>>, place: string): Parts {
  const parts: Partial<Record<Part, Dataset>> = Object.fromEntries(
    Object.entries(given).map(([part, { dataset }]) => [part, dataset]),
  );
  for (const part of ['validation', 'calibration'] as const) {
    if (parts[part]) continue;
    const source = parts.training ? 'training' : 'calibration';
    const whole = parts[source];
    if (!whole)
      throw new HoneError('E_DATA_MISMATCH', {
        expected: `${place}data.training or data.calibration`,
        found:
          Object.keys(given)
            .map((name) => `only data.${name}`)
            .join(' and ') || 'no samples',
      });
    const names = { taken: `data.${part}`, from: `data.${source}` };
    const { kept, taken } = holdOut(whole, { ...TAKEN[part], names });
    parts[part] = taken;
    parts[source] = kept;
  }
  return parts as Parts;
}

function indices(from: number, to: number): Uint32Array {
  return Uint32Array.from({ length: to - from }, (_, index) => from + index);
}
