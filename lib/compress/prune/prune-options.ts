import { z } from 'zod';
import { recoveryOptions } from '../recover';
import { CRITERIA, type Criterion, rowOf } from './weight-criteria';

const NAMES = Object.keys(CRITERIA) as Criterion[];

const share = (what: string) => z.number('expected a number').min(0, `expected ${what}`).lt(1, `expected ${what}`);

const sparsity = share('a share of zeros from 0 to below 1');

/** A moment of training: a whole number of steps, or below 1 a share of the run. */
const moment = z
  .number()
  .min(0)
  .refine((value) => value < 1 || Number.isInteger(value), 'expected a whole number of steps, or a share below 1');

export const pruneSchedule = z.strictObject({
  kind: z
    .enum(['constant', 'polynomial', 'one-shot', 'iterative'])
    .optional()
    .describe(
      'course of the sparsity: all at once before training (one-shot), all at begin_step (constant), rising (polynomial), or in rounds that each keep the same share of what is left (iterative); polynomial for criteria that can follow training, one-shot for the others and without training, when left out',
    ),
  initial_sparsity: sparsity.default(0).describe('share of zeros at begin_step'),
  final_sparsity: sparsity.optional().describe('share of zeros from end_step on; `sparsity` when left out'),
  begin_step: moment.default(0.05).describe('step of the first pruning; below 1 a share of the run'),
  end_step: moment.default(0.7).describe('step of the last pruning; below 1 a share of the run'),
  frequency: moment
    .refine((value) => value > 0, 'expected more than 0')
    .optional()
    .describe(
      'steps between two prunings, below 1 a share of the run; 100, or what makes five rounds for iterative, when left out',
    ),
  power: z.number().positive().default(3).describe('exponent of the polynomial'),
});
export type PruneSchedule = z.output<typeof pruneSchedule>;

export const pruneOptions = z
  .strictObject({
    criterion: z
      .enum(NAMES)
      .default('magnitude')
      .describe(`worth of a weight: ${NAMES.map((name) => `${name}: ${rowOf(name).about}`).join('; ')}`),
    sparsity: sparsity.default(0.5).describe('share of zeros over all pruned weights'),
    scope: z
      .enum(['local', 'global', 'threshold'])
      .optional()
      .describe(
        `whose weights compete: those of one layer, those of all layers, or none: everything below \`threshold\` goes; global when left out, local for ${NAMES.filter(isLayerWise).join(' and ')}`,
      ),
    threshold: z.number().positive().optional().describe('worth below which a weight goes, for scope threshold'),
    sparsities: z
      .record(z.string(), sparsity)
      .default({})
      .describe('share of zeros of some layers only: glob of node names -> share; the first glob that matches counts'),
    pattern: z
      .string()
      .regex(/^(unstructured|[1-9]\d*:[1-9]\d*)$/, 'expected unstructured, or N:M such as 2:4')
      .refine((text) => isPossible(text), 'expected N:M with N below M')
      .default('unstructured')
      .describe('2:4 keeps 2 of every 4 neighbours along the input channels, whatever `sparsity` says'),
    minKeep: share('a share from 0 to below 1')
      .default(0.1)
      .describe(
        'least share that a layer keeps under a global scope or a threshold; half of what layers keep on average where that is less',
      ),
    samples: z.number().int().min(1).default(512).describe('most samples that a worth is measured on'),
    schedule: pruneSchedule.prefault({}).describe('when weights go, if the network is trained'),
    splicing: z
      .boolean()
      .default(false)
      .describe('lets pruned weights come back while training (dynamic network surgery)'),
    skip: z
      .strictObject({
        names: z.array(z.string()).default([]).describe('globs of node names'),
        types: z.array(z.string()).default([]).describe('operators'),
      })
      .prefault({})
      .describe('layers that stay as they are'),
    training: recoveryOptions.prefault({ epochs: 0 }).describe('training while and after weights go'),
  })
  .superRefine((options, context) => {
    for (const [path, expected] of contradictions(options))
      context.addIssue({ code: 'custom', path, message: expected });
  });
export type PruneOptions = z.output<typeof pruneOptions>;

/** Criteria that can be told again and again in the middle of training, from the weights or from what training gathers. */
export function followsTraining(criterion: Criterion): boolean {
  return rowOf(criterion).follow !== undefined;
}

/** Whose weights compete, with the default of the criterion. */
export function scopeOf({
  criterion,
  scope,
}: Pick<PruneOptions, 'criterion' | 'scope'>): 'local' | 'global' | 'threshold' {
  return scope ?? (isLayerWise(criterion) ? 'local' : 'global');
}

/** The course of the sparsity, with the default of the criterion. */
export function kindOf({
  criterion,
  schedule,
  training,
  scope,
  pattern,
}: PruneOptions): NonNullable<PruneSchedule['kind']> {
  if (schedule.kind) return schedule.kind;
  if (scope === 'threshold' || training.epochs === 0 || !followsTraining(criterion)) return 'one-shot';
  return pattern === 'unstructured' ? 'polynomial' : 'constant';
}

/** `2:4` as numbers; undefined for unstructured. */
export function blockOf(pattern: string): { readonly keep: number; readonly of: number } | undefined {
  if (pattern === 'unstructured') return undefined;
  const [keep, of] = pattern.split(':').map(Number);
  return { keep, of };
}

function isPossible(pattern: string): boolean {
  const block = blockOf(pattern);
  return block === undefined || block.keep < block.of;
}

/** Their scores mean nothing beside those of another layer. */
function isLayerWise(criterion: Criterion): boolean {
  return rowOf(criterion).competes !== 'network';
}

/** Options that exclude each other: the place of the wrong one, and what is expected there. */
function* contradictions(options: PruneOptions): Generator<[path: string[], expected: string]> {
  const { criterion, scope, threshold, schedule, training, splicing, pattern } = options;
  const trains = training.epochs > 0;
  if (scope === 'threshold' && threshold === undefined)
    yield [['threshold'], 'expected the worth below which weights go (scope is threshold)'];
  if (scope !== 'threshold' && threshold !== undefined)
    yield [['scope'], "expected 'threshold' (a threshold is given)"];
  if (scope === 'threshold' && schedule.kind !== undefined && schedule.kind !== 'one-shot')
    yield [['schedule', 'kind'], "expected 'one-shot' (scope is threshold)"];
  if (schedule.initial_sparsity > (schedule.final_sparsity ?? options.sparsity))
    yield [['schedule', 'initial_sparsity'], 'expected at most the final sparsity'];
  if (isLayerWise(criterion) && scope !== undefined && scope !== 'local')
    yield [['scope'], `expected 'local' (${criterion} compares the weights of one layer)`];
  if (scope === 'threshold' && pattern !== 'unstructured')
    yield [['pattern'], "expected 'unstructured' (scope is threshold)"];
  if (rowOf(criterion).needs === 'training' && (!trains || schedule.kind === 'one-shot'))
    yield trains
      ? [['schedule', 'kind'], `expected a schedule within training (${criterion} is gathered there)`]
      : [['training', 'epochs'], `expected 1 or more (${criterion} is gathered while training)`];
  if (splicing && (!trains || kindOf(options) === 'one-shot' || !followsTraining(criterion)))
    yield [['splicing'], 'expected false without a schedule within training'];
  if (schedule.kind === 'constant' || schedule.kind === 'polynomial') {
    if (!trains) yield [['schedule', 'kind'], "expected 'one-shot' or 'iterative' (training.epochs is 0)"];
    else if (!followsTraining(criterion))
      yield [['schedule', 'kind'], `expected 'one-shot' or 'iterative' (${criterion} is measured before training)`];
  }
}
