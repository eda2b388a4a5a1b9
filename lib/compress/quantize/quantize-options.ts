import { z } from 'zod';
import { parseOptions } from '../../core/parse-options';
import { matchingGlob } from '../glob';
import { ESTIMATORS, type EstimatorName } from './estimators';

const ESTIMATOR_NAMES = Object.keys(ESTIMATORS) as EstimatorName[];
const BITS = z.number().int().min(2).max(8);

/** What can be chosen for every layer by itself; without defaults, so that a layer may leave anything out. */
const layerChoices = z.strictObject({
  weightBits: BITS.describe('bits of a weight'),
  activationBits: BITS.describe('bits of what a layer makes'),
  scheme: z
    .enum(['symmetric', 'affine', 'mean-centred', 'power-of-two'])
    .describe(
      'grid of the weights: zero in the middle, smallest to largest weight, around their mean, or scales 2^n around zero',
    ),
  granularity: z
    .enum(['tensor', 'channel', 'group'])
    .describe('weights that share a scale: all, an output channel, or blocks along the input axis (runs in float)'),
  blockSize: z.number().int().min(2).describe('weights in one block of `granularity: group`'),
  weightRange: z
    .enum(['auto', 'max', 'mse'])
    .describe(
      'largest weight that a grid reaches: `max` the largest there is, `mse` the one with the smallest squared error, `auto` mse below 8 bits',
    ),
  rounding: z
    .enum(['nearest', 'adaround'])
    .describe('how weights are rounded: each to the nearest code, or together, for the smallest error of the layer'),
  avoidSaturation: z
    .boolean()
    .describe('fewer codes in channels where runtimes without 8-bit dot products (x86 with AVX2 alone) could saturate'),
});

/** How a network is quantized, as far as no training is needed; every key has a default. */
export const quantizeOptions = z.strictObject({
  mode: z
    .enum(['static', 'dynamic-range'])
    .default('static')
    .describe('static: weights and activations on integers; dynamic-range: weights alone, activations stay float'),
  estimator: z.enum(ESTIMATOR_NAMES).default('mse').describe('how the range of an activation is chosen'),
  estimators: z
    .record(z.string(), z.enum(ESTIMATOR_NAMES))
    .default({})
    .describe('other estimators for some values: glob of value names -> estimator; the first glob that matches counts'),
  percentile: z
    .number()
    .gt(50)
    .max(100)
    .default(99.99)
    .describe('percent of the elements that the percentile estimator keeps, half of the rest cut at each end'),
  skip: z
    .strictObject({
      names: z.array(z.string()).readonly().default([]).describe('globs of node names'),
      types: z.array(z.string()).readonly().default([]).describe('operators'),
    })
    .prefault({})
    .describe('nodes that stay float'),
  weightBits: layerChoices.shape.weightBits.default(8),
  activationBits: layerChoices.shape.activationBits.default(8),
  scheme: layerChoices.shape.scheme.default('symmetric'),
  granularity: layerChoices.shape.granularity.default('channel'),
  blockSize: layerChoices.shape.blockSize.default(32),
  weightRange: layerChoices.shape.weightRange.default('auto'),
  rounding: layerChoices.shape.rounding.default('nearest'),
  avoidSaturation: layerChoices.shape.avoidSaturation.default(false),
  layers: z
    .record(z.string(), layerChoices.partial())
    .default({})
    .describe('other choices for some layers: glob of node names -> choices; later entries win over earlier ones'),
  crossLayerEqualization: z
    .boolean()
    .default(false)
    .describe('balances the channels of neighbouring layers first (Nagel et al. 2019)'),
  balanceChannels: z
    .boolean()
    .default(true)
    .describe(
      'scales the channels of quantized values so that quiet ones have codes too, where the outputs gain by it',
    ),
  biasCorrection: z
    .boolean()
    .default(true)
    .describe('corrects biases so that the mean output of every layer stays that of the float network'),
  floatShare: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe(
      'most multiply-accumulates of layers that stay float where an output is below 26 dB, as a share, each fifth for 3 dB or more; 0: all run on integers whatever they lose',
    ),
  samples: z.number().int().min(1).default(512).describe('most calibration samples that are read'),
  heldOut: z
    .number()
    .int()
    .min(0)
    .default(32)
    .describe(
      'samples, evenly taken, that nothing but ranges rests on, to measure the error on; half where there are fewer than twice as many, none of fewer than 16',
    ),
});

/** How a network is quantized. */
export type QuantizeOptions = z.output<typeof quantizeOptions>;
/** What a caller gives: any part of the options. */
export type PartialQuantizeOptions = z.input<typeof quantizeOptions>;
/** What holds for one layer. */
export type LayerChoices = z.output<typeof layerChoices>;

/** What `quantize` does unless told otherwise. */
export const DEFAULT_QUANTIZE_OPTIONS: QuantizeOptions = quantizeOptions.parse({});

/**
 * The given options with defaults filled in.
 * @throws E_OPTION_UNKNOWN for a misspelled key, E_OPTION_VALUE for a value that cannot be meant
 */
export function resolveQuantizeOptions(given: PartialQuantizeOptions = {}): QuantizeOptions {
  return parseOptions(quantizeOptions, given, '', 'quantize');
}

/** The choices for the layer `node`: the general ones, overridden by every glob of `layers` that its name matches. */
export function choicesFor(options: QuantizeOptions, node: string): LayerChoices {
  const { weightBits, activationBits, scheme, granularity, blockSize, weightRange, rounding, avoidSaturation } =
    options;
  const general = {
    weightBits,
    activationBits,
    scheme,
    granularity,
    blockSize,
    weightRange,
    rounding,
    avoidSaturation,
  };
  const own = Object.entries(options.layers).filter(([glob]) => matchingGlob(node, [glob]) !== undefined);
  return Object.assign(general, ...own.map(([, choices]) => choices)) as LayerChoices;
}

/** The options with `avoidSaturation` off for all layers. */
export function withoutHeed(options: QuantizeOptions): QuantizeOptions {
  const layers = Object.entries(options.layers).map(([glob, choices]) => [
    glob,
    { ...choices, avoidSaturation: false },
  ]);
  return { ...options, avoidSaturation: false, layers: Object.fromEntries(layers) };
}
