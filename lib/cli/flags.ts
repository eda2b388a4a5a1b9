import { readFile } from 'node:fs/promises';
import type { PartialQuantizeOptions } from '../compress/quantize/quantize-options';
import { HoneError, readError } from '../core/error';
import { type PreprocessSpec, parsePreprocess } from '../core/preprocess';
import type { SampleAxis } from '../ir/sample-axes';
import type { Artifact } from '../jobs/artifact';
import type { CompressOptions } from '../jobs/compress';
import { EXECUTORS, type ExecutorName } from '../jobs/executor';
import type { InputShapes } from '../passes/bind-inputs';
import type { Console } from './console';
import { diagnosticLines } from './text';
import { traceOf } from './trace';
import type { OptionValues, VerbOption } from './verb';

/** Loaded when a model is opened: the readers take a fifth of a second and tens of megabytes, which an agent of plans need not hold. */
const lazily = {
  artifact: () => require('../jobs/artifact') as typeof import('../jobs/artifact'),
  soundSpec: () => require('../core/sound-spec') as typeof import('../core/sound-spec'),
};

/** The argument of most verbs. */
export const MODEL = { name: '<model>', description: 'an ONNX model, float or quantized, or a compiled plan' };

/** Options that several verbs share. */
export const COMMON = {
  data: {
    flags: '--data <path>',
    description: 'samples: .npz (or a folder of them), .npy, idx(.gz), or a folder of images per class',
  },
  calibration: {
    flags: '--calibration <path>',
    description: 'calibration samples: a float model is compressed to int8 first',
  },
  preprocess: { flags: '--preprocess <json>', description: 'how pictures become inputs: a JSON file or text' },
  sound: { flags: '--sound <json>', description: 'how sound becomes inputs (docs/stream.md): a JSON file or text' },
  outputs: { flags: '--outputs <json>', description: 'what the outputs mean (docs/outputs.md): a JSON file or text' },
  executor: { flags: '--executor <name>', description: `${EXECUTORS.join(' or ')}`, default: 'native' },
  threads: { flags: '--threads <n>', description: 'threads of one inference', default: '1' },
} as const satisfies Record<string, VerbOption>;

/** Names of all nodes and layers instead of a few. */
export const VERBOSE: VerbOption = { flags: '--verbose', description: 'name every node and layer' };

/** What the user says of a model's inputs: options of every verb that takes a model. */
export const INPUTS: readonly VerbOption[] = [
  {
    flags: '--shape <input=extents>',
    description: 'extents that the model leaves free, as in x=1,3,320,320; once per input',
    repeatable: true,
  },
  {
    flags: '--batch-axis <input=axis>',
    description: 'axis of an input that its samples are on, from 0, or none; once per input',
    repeatable: true,
  },
  {
    flags: '--state <input=output>',
    description: 'an output that is the input of the next sample, where the data does not hold it; once per input',
    repeatable: true,
  },
];

/** Options of int8 compression. */
export const QUANTIZE: readonly VerbOption[] = [
  { flags: '--estimator <name>', description: 'activation ranges by minmax, percentile, entropy or mse' },
  { flags: '--percentile <p>', description: 'share of elements that the percentile estimator keeps' },
  { flags: '--samples <n>', description: 'most samples to calibrate with' },
  { flags: '--skip-name <globs...>', description: 'nodes that stay float, by name' },
  { flags: '--skip-type <ops...>', description: 'nodes that stay float, by operator' },
  { flags: '--per-tensor', description: 'one weight scale per layer instead of one per output channel' },
  { flags: '--equalize', description: 'try cross-layer equalization' },
  { flags: '--correct-bias', description: 'try bias correction (the default)' },
  { flags: '--no-correct-bias', description: 'no bias correction' },
  {
    flags: '--avoid-saturation',
    description: 'fewer weight codes where x86 runtimes without 8-bit dot products saturate',
  },
];

/** The value of a text option. */
export function text(options: OptionValues, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

/** An option as it is typed: `--learning-rate` for `learningRate`. */
export function flag(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The value of an option that a verb cannot do without. @throws E_USAGE */
export function requiredFlag(options: OptionValues, name: string, verb: string): string {
  const value = text(options, name);
  if (value === undefined) throw new HoneError('E_USAGE', { reason: `missing option --${name}`, verb });
  return value;
}

/** Shows progress and rewrites, and listens for Ctrl-C: what long work takes along. @throws E_OPTION_VALUE for HONE_TRACE */
export function watched(console: Console): Pick<CompressOptions, 'signal' | 'onProgress' | 'trace'> {
  return { signal: console.signal, onProgress: progressOf(console), trace: traceOf(console) };
}

/** Shows the progress of compression. */
function progressOf(console: Console): NonNullable<CompressOptions['onProgress']> {
  return ({ stage, done, total }) => console.progress(stage, done, total);
}

/** The artifact at a path, with what the options say of it. @throws what `preprocessing` and `openArtifact` throw, E_OPTION_VALUE */
export async function openModel(path: string, options: OptionValues, console: Console): Promise<Artifact> {
  const shapes = pairsOf(options, 'shape', 'an input and its extents, as in x=1,3,320,320', parseExtents);
  const sampleAxes = pairsOf(options, 'batchAxis', 'an input and an axis from 0 or none, as in x=1', parseAxis);
  const states = pairsOf(options, 'state', 'an input and an output, as in h=hn', (output) => output || undefined);
  const outputs = await jsonOf(options, 'outputs');
  const sound = await jsonOf(options, 'sound');
  const specs = {
    outputs,
    ...(await preprocessing(options)),
    ...(sound === undefined ? {} : { sound: lazily.soundSpec().parseSoundSpec(sound) }),
  };
  const artifact = await lazily.artifact().openArtifact(path, { shapes, sampleAxes, states, ...specs });
  if (artifact.kind === 'model' && !console.json)
    for (const line of diagnosticLines(artifact.notes)) console.note(line);
  return artifact;
}

/** Sets of input shapes by their text, of the options `--variant`. @throws E_OPTION_VALUE */
export function variantsOf(options: OptionValues): ReadonlyMap<string, InputShapes> {
  return new Map(
    list(options.variant).map((found) => {
      const expected = 'inputs and their extents, as in x=1,3,320,320;y=1,4';
      const given = { variant: found.split(';') };
      return [found, pairsOf(given, 'variant', expected, parseExtents)] as const;
    }),
  );
}

function parseExtents(found: string): readonly number[] | undefined {
  const extents = found.split(',').map((word) => (/^\d{1,9}$/.test(word) ? Number(word) : 0));
  return found === '' ? [] : extents.every((extent) => extent > 0) ? extents : undefined;
}

function parseAxis(found: string): SampleAxis | undefined {
  return found === 'none' ? found : /^\d{1,2}$/.test(found) ? Number(found) : undefined;
}

/** Values by input name of an option `<input>=<value>`. @throws E_OPTION_VALUE */
function pairsOf<T>(
  options: OptionValues,
  name: string,
  expected: string,
  parse: (text: string) => T | undefined,
): Map<string, T> {
  const pairs = new Map<string, T>();
  for (const found of list(options[name])) {
    // Names of values may have anything in them, extents have not.
    const at = found.lastIndexOf('=');
    const value = at > 0 ? parse(found.slice(at + 1)) : undefined;
    if (value === undefined) throw new HoneError('E_OPTION_VALUE', { option: flag(name), expected, found });
    const input = found.slice(0, at);
    if (pairs.has(input))
      throw new HoneError('E_OPTION_VALUE', { option: flag(name), expected: `${input} once`, found });
    pairs.set(input, value);
  }
  return pairs;
}

/** The value of a whole-number option within low..high. @throws E_OPTION_VALUE */
export function integer(options: OptionValues, name: string, low: number, high: number): number | undefined {
  const found = text(options, name);
  if (found === undefined) return undefined;
  const value = Number(found);
  if (/^-?\d+$/.test(found) && value >= low && value <= high) return value;
  throw new HoneError('E_OPTION_VALUE', {
    option: flag(name),
    expected: `a whole number from ${low} to ${high}`,
    found,
  });
}

export function threads(options: OptionValues): number {
  return integer(options, 'threads', 1, 64) ?? 1;
}

/** @throws E_OPTION_VALUE for an executor that does not exist */
export function executor(options: OptionValues): ExecutorName {
  const found = text(options, 'executor') ?? 'native';
  const name = EXECUTORS.find((known) => known === found);
  if (name !== undefined) return name;
  throw new HoneError('E_OPTION_VALUE', { option: '--executor', expected: EXECUTORS.join(' or '), found });
}

/** The preprocessing spec given as a JSON file or as JSON text. @throws E_FILE_NOT_FOUND, E_OPTION_VALUE, E_OPTION_UNKNOWN */
export async function preprocessing(options: OptionValues): Promise<{ preprocess?: PreprocessSpec }> {
  const json = await jsonOf(options, 'preprocess');
  return json === undefined ? {} : { preprocess: parsePreprocess(json) };
}

/** The value of an option that is a JSON file or JSON text; undefined when it is not given. @throws E_FILE_NOT_FOUND, E_OPTION_VALUE */
async function jsonOf(options: OptionValues, name: string): Promise<unknown> {
  const found = text(options, name);
  if (found === undefined) return undefined;
  const json = found.trimStart().startsWith('{') ? found : await readText(found);
  try {
    return JSON.parse(json);
  } catch (error) {
    const expected = `JSON (${(error as Error).message})`;
    throw new HoneError('E_OPTION_VALUE', { option: flag(name), expected, found: json.slice(0, 60) });
  }
}

async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw readError(path, error);
  });
}

/** The number of an option that has a default. @throws E_OPTION_VALUE outside of `low` to `high` */
export function decimal(options: OptionValues, name: string, low: number, high: number): number {
  const found = text(options, name) ?? '';
  const value = Number(found);
  if (found.trim() !== '' && value >= low && value <= high) return value;
  const range = low > 0 ? `a number above 0 and up to ${high}` : `a number from ${low} to ${high}`;
  throw new HoneError('E_OPTION_VALUE', { option: flag(name), expected: range, found });
}

/** Quantization options as `quantize` takes them. */
export function quantizeFlags(options: OptionValues): PartialQuantizeOptions {
  const estimator = text(options, 'estimator');
  const percentile = text(options, 'percentile');
  const samples = integer(options, 'samples', 1, 1e9);
  return {
    ...(estimator === undefined ? {} : { estimator: estimator as 'minmax' }),
    ...(percentile === undefined ? {} : { percentile: decimal(options, 'percentile', 0, 100) }),
    ...(samples === undefined ? {} : { samples }),
    skip: { names: list(options.skipName), types: list(options.skipType) },
    granularity: options.perTensor === true ? 'tensor' : 'channel',
    crossLayerEqualization: options.equalize === true,
    biasCorrection: options.correctBias !== false,
    avoidSaturation: options.avoidSaturation === true,
  };
}

/** The values of an option that may stand several times. */
export function list(value: OptionValues[string]): readonly string[] {
  return Array.isArray(value) ? value : [];
}
