import type { Diagnostic } from '../../core/diagnostic';
import type { MethodRow } from './methods';
import type { Recipe } from './schema';

/** One step of a run: a method and its options, all filled in. */
export interface RecipeStep extends MethodRow {
  readonly options: unknown;
}

/** The steps that a recipe names. */
export function stepsOf(steps: NonNullable<Recipe['steps']>, methods: readonly MethodRow[]): RecipeStep[] {
  return steps.map((step) => {
    const [[name, options]] = Object.entries(step);
    return { ...methods.find(({ method }) => method.name === name)!, options };
  });
}

/** What about the order of steps is not as recommended. */
export function orderWarnings(steps: readonly RecipeStep[], methods: readonly MethodRow[]): Diagnostic[] {
  const names = methods.map(({ method }) => method.name);
  const recommended = `the recommended order is ${names.join(', ')}`;
  const warnings: Diagnostic[] = [];
  let last = -1;
  for (const [index, { method, recovers }] of steps.entries()) {
    const place = names.indexOf(method.name);
    if (place < last && !(recovers && last < names.length - 1))
      warnings.push({
        severity: 'warning',
        kind: 'recipe-order',
        where: `steps[${index}].${method.name}`,
        message: `it comes after ${names[last]}; ${recommended}`,
      });
    if (!recovers) last = Math.max(last, place);
  }
  return warnings;
}
