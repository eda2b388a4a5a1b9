import { z } from 'zod';
import { HoneError } from '../../core/error';
import { nearest } from '../../core/nearest';
import type { Graph } from '../../ir/graph';
import type { Method, MethodContext } from '../method';
import { requireFloatGraph } from '../quantize/plan';
import { recoveryOptions } from '../recover';
import { decisionsFor, trainExcept, trainedFor } from './finetune';
import { initialiseWeights } from './initialise-weights';

const distillOptions = z.strictObject({
  ...recoveryOptions.shape,
  epochs: z.number().int().min(1).default(20).describe('passes over the training samples'),
  teacher: z.string().min(1).optional().describe('name of the network that teaches; the float model when left out'),
  initialise: z
    .boolean()
    .default(false)
    .describe('draws the weights anew before the training, so that nothing but the form of the network is kept'),
});

/** Limit on gradients where weights are drawn anew. */
const DRAWN_CLIP_SHARE = 1;

/** Trains the network to do what another one does (Hinton et al. 2015). */
export const distill: Method<z.output<typeof distillOptions>> = {
  name: 'distill',
  summary: 'train under a teacher: the float model, or another and larger one',
  options: distillOptions,
  apply: async (graph, { teacher: name, initialise, ...options }, context) => {
    requireFloatGraph(graph);
    const { mode } = options.distillation;
    if (mode === 'off')
      throw new HoneError('E_OPTION_VALUE', {
        option: 'distillation.mode',
        expected: 'a way to teach (finetune trains without a teacher)',
        found: mode,
      });
    const teacher = teacherOf(context, name);
    const student = initialise ? initialiseWeights(graph, context.seed, context.keep) : graph;
    // Drawn weights have far to go, and are of the size that their inputs call for.
    const freely = initialise ? { ...options, clipShare: options.clipShare ?? DRAWN_CLIP_SHARE } : options;
    const trained = await trainExcept(student, freely, { ...context, teacher }, 'distill', !initialise);
    const { epochs } = options;
    const treatment = `${initialise ? 'drawn anew and ' : ''}${trainedFor(epochs)}`;
    const decisions = decisionsFor(graph, context, treatment, `${name ?? 'the float model'} as teacher (${mode})`);
    return { graph: trained, decisions, report: { epochs, teacher: name ?? null, initialised: initialise } };
  },
};

function teacherOf({ teacher, teachers }: MethodContext, name: string | undefined): Graph {
  if (name === undefined) return teacher;
  const found = teachers?.get(name);
  if (found) return found;
  const known = [...(teachers?.keys() ?? [])];
  const near = nearest(name, known);
  throw new HoneError('E_OPTION_VALUE', {
    option: 'teacher',
    expected:
      known.length === 0
        ? 'no name, as no other network was given'
        : `one of ${known.join(', ')}${near ? ` (such as '${near}')` : ''}`,
    found: name,
  });
}
