import { HoneError } from '../../core/error';
import { nearest } from '../../core/nearest';
import { ESTIMATORS, type EstimatorName } from './estimators';

/** How a network is quantized. */
export interface QuantizeOptions {
  /** How the range of an activation is chosen from its histogram. */
  readonly estimator: EstimatorName;
  /** Estimators for some values only: glob of value names -> estimator. The first glob that matches counts. */
  readonly estimators: Readonly<Record<string, EstimatorName>>;
  /** Share of the elements that the percentile estimator keeps, in percent; above 50, at most 100. */
  readonly percentile: number;
  /** Nodes that stay float: globs of node names, and operators. */
  readonly skip: { readonly names: readonly string[]; readonly types: readonly string[] };
  /** One weight scale per output channel; false gives one per tensor. */
  readonly perChannel: boolean;
  /** Balances the channels of neighbouring layers first (Nagel et al. 2019). */
  readonly crossLayerEqualization: boolean;
  /** Corrects biases so that the mean output of every layer stays that of the float network. */
  readonly biasCorrection: boolean;
  /** Most samples to calibrate with; the rest of the dataset is not read. */
  readonly samples: number;
  /** Samples kept out of calibration to measure the error on. */
  readonly heldOut: number;
}

/** What `quantize` does unless told otherwise. */
export const DEFAULT_QUANTIZE_OPTIONS: QuantizeOptions = {
  estimator: 'mse',
  estimators: {},
  percentile: 99.99,
  skip: { names: [], types: [] },
  perChannel: true,
  crossLayerEqualization: false,
  biasCorrection: false,
  samples: 512,
  heldOut: 32,
};

/** What a caller gives: any part of the options. */
export type PartialQuantizeOptions = Partial<Omit<QuantizeOptions, 'skip'>> & {
  readonly skip?: Partial<QuantizeOptions['skip']>;
};

/**
 * The given options with defaults filled in.
 * @throws E_OPTION_UNKNOWN for a misspelled key, E_OPTION_VALUE for a value that cannot be meant
 */
export function resolveQuantizeOptions(given: PartialQuantizeOptions = {}): QuantizeOptions {
  refuseUnknown(given, Object.keys(DEFAULT_QUANTIZE_OPTIONS), '');
  refuseUnknown(given.skip ?? {}, Object.keys(DEFAULT_QUANTIZE_OPTIONS.skip), 'skip.');
  const defined = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const options: QuantizeOptions = {
    ...DEFAULT_QUANTIZE_OPTIONS,
    ...defined,
    skip: { ...DEFAULT_QUANTIZE_OPTIONS.skip, ...given.skip },
  };
  const estimators = Object.keys(ESTIMATORS).join(', ');
  const require = (holds: boolean, option: string, expected: string, found: unknown) => {
    if (!holds) throw new HoneError('E_OPTION_VALUE', { option, expected, found: String(found) });
  };
  require(options.estimator in ESTIMATORS, 'estimator', estimators, options.estimator);
  for (const [glob, name] of Object.entries(options.estimators))
    require(name in ESTIMATORS, `estimators['${glob}']`, estimators, name);
  const { percentile, samples, heldOut } = options;
  require(percentile > 50 && percentile <= 100, 'percentile', 'a number above 50, at most 100', percentile);
  require(Number.isInteger(samples) && samples > 0, 'samples', 'a positive whole number', samples);
  require(Number.isInteger(heldOut) && heldOut >= 0, 'heldOut', 'a whole number, 0 or more', heldOut);
  for (const key of ['perChannel', 'crossLayerEqualization', 'biasCorrection'] as const)
    require(typeof options[key] === 'boolean', key, 'true or false', options[key]);
  for (const key of ['names', 'types'] as const)
    require(isStringList(options.skip[key]), `skip.${key}`, 'a list of strings', options.skip[key]);
  return options;
}

function refuseUnknown(given: object, known: readonly string[], prefix: string): void {
  for (const option of Object.keys(given)) {
    if (known.includes(option)) continue;
    const near = nearest(option, known) ?? known.join(', ');
    throw new HoneError('E_OPTION_UNKNOWN', { option: prefix + option, nearest: prefix + near, verb: 'quantize' });
  }
}

function isStringList(value: unknown): boolean {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}
