import type { Recipe, RecipeInput } from './schema';

/** Share of the multiply-accumulates that stays: recovery makes up for more than a re-fit of the weights does. */
const MACS = { trained: 0.7, fitted: 0.9 };

/**
 * The steps for a recipe that names none, in the recommended order. With training samples: structured pruning, recovery,
 * quantization. Without: quantization with corrected biases, after a little structured pruning if `maxDrop` watches over it.
 * Single weights are not pruned: that saves no time on the engine.
 */
export function recommendSteps(hasTraining: boolean, { maxDrop }: Recipe['goals']): NonNullable<RecipeInput['steps']> {
  if (hasTraining) return [{ 'prune-structured': { macs: MACS.trained } }, { finetune: {} }, { quantize: {} }];
  const quantize = { quantize: { biasCorrection: true } };
  return maxDrop === undefined ? [quantize] : [{ 'prune-structured': { macs: MACS.fitted } }, quantize];
}
