import { z } from 'zod';
import { recoveryOptions } from '../recover';
import { STRUCTURED_CRITERIA, type StructuredCriterion } from './unit-criteria';

const NAMES = Object.keys(STRUCTURED_CRITERIA) as StructuredCriterion[];

const share = (expected: string) => z.number('expected a number').gt(0, expected).max(1, expected);

export const structuredOptions = z
  .strictObject({
    criterion: z
      .enum(NAMES)
      .default('l2')
      .describe(`worth of a channel: ${NAMES.map((name) => `${name}: ${STRUCTURED_CRITERIA[name].about}`).join('; ')}`),
    macs: share('expected a share above 0, at most 1')
      .optional()
      .describe(
        'multiply-accumulates to keep, as a share: 0.95 of it to all of it is left; 0.7 when `amount` is left out too',
      ),
    amount: z
      .number()
      .min(0, 'expected a share from 0 to below 1')
      .lt(1, 'expected a share from 0 to below 1')
      .optional()
      .describe('share of the channels to remove from every layer, instead of `macs`'),
    amounts: z
      .record(z.string(), z.number().min(0).lt(1, 'expected a share from 0 to below 1'))
      .default({})
      .describe('share of the channels to remove from some layers only: glob of node names -> share'),
    rounds: z.number().int().min(1).default(1).describe('steps in which channels go; their worth is told anew in each'),
    tune: z
      .enum(['end', 'rounds'])
      .default('end')
      .describe('whether `training` comes once, after the last round, or after each of them'),
    maxPerLayer: z.number().min(0).lt(1).default(0.7).describe('largest share of its channels that any layer loses'),
    roundTo: z
      .union([z.literal('target'), z.number().int().min(1)])
      .default('target')
      .describe(
        'channels leave a layer in steps of this many, layers of fewer than twice as many in smaller steps; target: as many at a time as save its kernels most time for what they are worth',
      ),
    reconstruct: z
      .boolean()
      .default(true)
      .describe(
        're-fits the weights behind removed channels and re-estimates statistics of batch norm on calibration samples, layer by layer where outputs of held-out samples gain 0.2 dB or more; off with fewer than 64 samples',
      ),
    branches: z
      .number()
      .int()
      .min(0)
      .default(0)
      .describe('residual branches to remove as a whole before channels go: those that change the outputs least'),
    samples: z.number().int().min(1).default(256).describe('most samples that anything is measured on'),
    skip: z
      .strictObject({
        names: z.array(z.string()).default([]).describe('globs of node names'),
        types: z.array(z.string()).default([]).describe('operators'),
      })
      .prefault({})
      .describe('layers that keep all their channels'),
    training: recoveryOptions.prefault({ epochs: 0 }).describe('training after channels have gone'),
  })
  .refine(({ macs, amount }) => macs === undefined || amount === undefined, {
    path: ['amount'],
    message: 'expected nothing beside `macs`: only one of them can be the goal',
  });
export type StructuredOptions = z.output<typeof structuredOptions>;
