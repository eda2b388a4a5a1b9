import { HoneError } from '../core/error';
import type { SoundSpec } from '../core/sound-spec';
import { mismatch } from '../data/convert';
import type { ExpectedInput, ExpectedInputs } from '../data/fit-input';
import type { SampleType } from '../ir/dataset';
import { elementCount, type Tensor, tensorFrom, tensorOf } from '../ir/tensor';
import { freeError, isFree } from '../passes/bind-inputs';

/** How sound comes in. */
export interface SoundOptions {
  /** Samples per second; those of the model when left out. */
  readonly rate?: number;
  /** From one window to the next: samples, or a time such as `10ms`; that of the model, else a whole window when left out. */
  readonly hop?: string;
}

/** How sound becomes the inputs of a model. */
export interface SoundInput {
  readonly rate: number;
  /** Whether the model says which rate it was trained at. */
  readonly rateIsNoted: boolean;
  /** Samples that one run takes, and from one to the next. */
  readonly window: number;
  readonly hop: number;
  readonly inputs: ReadonlyMap<string, SampleType>;
  /** The inputs for one window of samples of 16 bits. */
  readonly feeds: (samples: Int16Array) => ReadonlyMap<string, Tensor>;
}

/** Inputs that are told the rate. */
const RATE_NAME = /^(sr|fs|rate|sample_?rate|sampling_?rate)$/i;

/**
 * How sound becomes the inputs of a model (without its states): the one float input that is a row of samples, and, where there is
 * one, an input for the rate.
 * @throws E_DATA_MISMATCH for a model that takes no row of samples, E_SHAPE_FREE, E_SOUND_RATE, E_USAGE when nothing tells the rate,
 * E_OPTION_VALUE for a hop that is none
 */
export function openSoundInput(inputs: ExpectedInputs, spec: SoundSpec | undefined, options: SoundOptions): SoundInput {
  const rate = options.rate ?? spec?.rate;
  if (rate === undefined) throw new HoneError('E_USAGE', { reason: 'missing option --rate', verb: 'stream' });
  if (spec !== undefined && rate !== spec.rate)
    throw new HoneError('E_SOUND_RATE', { expected: spec.rate, found: rate });
  const rates = [...inputs].filter(([name, type]) => isRate(name, type));
  const rows = [...inputs].filter(([name]) => !rates.some(([rateName]) => rateName === name));
  const [name, row] = onlyRow(rows);
  const { dims, axis } = oneSample(name, row);
  const window = elementCount(dims);
  const shape = axis === 'none' ? dims : dims.toSpliced(axis, 0, 1);
  const told = rates.map(([rateName, { type, shape: rateShape }]): [string, Tensor] => [
    rateName,
    tensorFrom(type as 'int64', rateShape as readonly number[], [rate]),
  ]);
  const scale = Math.fround(spec?.scale ?? 2 ** -15);
  return {
    rate,
    rateIsNoted: spec !== undefined,
    window,
    hop: hopOf(options.hop, rate, window) ?? notedHop(spec, window) ?? window,
    inputs: new Map<string, SampleType>([
      [name, { type: 'float32', dims, axis }],
      ...told.map(([rateName, { type, dims: all }]): [string, SampleType] => [
        rateName,
        { type, dims: all, axis: 'none' },
      ]),
    ]),
    feeds(samples) {
      const elements = new Float32Array(window);
      for (let at = 0; at < window; at++) elements[at] = samples[at] * scale;
      return new Map([[name, tensorOf('float32', shape, elements)], ...told]);
    },
  };
}

function isRate(name: string, { type, shape }: ExpectedInput): boolean {
  return RATE_NAME.test(name) && /^(int32|int64|float32)$/.test(type) && (shape?.every((dim) => dim === 1) ?? false);
}

function onlyRow(rows: readonly [string, ExpectedInput][]): [string, ExpectedInput] {
  const [first] = rows;
  if (rows.length === 1 && first[1].type === 'float32') return first;
  const found = rows.map(([name, { type, shape }]) => `${name}: ${type}[${shape?.join(',') ?? '...'}]`).join(', ');
  const state = rows.find(([, { perhapsFrom }]) => perhapsFrom !== undefined);
  const advice =
    state === undefined ? '' : ` (or --state ${state[0]}=${state[1].perhapsFrom}, if that is its next value)`;
  throw mismatch(`a model with one float32 input for samples of sound${advice}`, found || 'none');
}

/** Extents of one sample of an input, all of which but one are 1. */
function oneSample(name: string, { shape, axis = 0 }: ExpectedInput): Required<Pick<SampleType, 'dims' | 'axis'>> {
  const bound = shape?.map((dim, at) => (at === axis && typeof dim === 'string' ? 1 : dim));
  if (isFree({ name, shape: bound })) throw freeError([{ name, shape: bound }]);
  const whole = bound as readonly number[];
  if (whole.filter((dim) => dim !== 1).length > 1)
    throw mismatch('a model whose input is a row of samples of sound', `'${name}' of [${whole.join(',')}]`);
  return axis === 'none' || whole[axis] !== 1
    ? { dims: whole, axis: 'none' }
    : { dims: whole.toSpliced(axis, 1), axis };
}

/** Samples of a hop as it is typed; undefined when it is not given. @throws E_OPTION_VALUE */
function hopOf(text: string | undefined, rate: number, window: number): number | undefined {
  if (text === undefined) return undefined;
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s)?$/.exec(text) ?? [];
  const each = unit === 'ms' ? rate / 1000 : unit === 's' ? rate : 1;
  const exact = digits === undefined ? Number.NaN : Number(digits) * each;
  // Decimal fractions of a second are not exact.
  const samples = Math.abs(exact - Math.round(exact)) < 1e-6 ? Math.round(exact) : exact;
  if (Number.isInteger(samples) && samples >= 1 && samples <= window) return samples;
  throw new HoneError('E_OPTION_VALUE', {
    option: '--hop',
    expected: `1 to ${window} samples, as a number or a time such as ${Number(((1000 * window) / rate).toPrecision(6))}ms that is whole samples at ${rate} per second`,
    found: Number.isNaN(samples) || unit === '' ? text : `${text}, ${Number(samples.toPrecision(6))} samples`,
  });
}

/** The hop that the model says. @throws E_OPTION_VALUE when its windows would leave out samples */
function notedHop(spec: SoundSpec | undefined, window: number): number | undefined {
  if (spec?.hop === undefined || spec.hop <= window) return spec?.hop;
  throw new HoneError('E_OPTION_VALUE', {
    option: 'sound.hop',
    expected: `at most ${window} samples, which the model takes at once`,
    found: spec.hop,
  });
}
