import type { Diagnostic } from '../../core/diagnostic';
import { HoneError } from '../../core/error';
import { quantizeMethod } from '../quantize/quantize-method';
import type { MethodRow } from './methods';
import type { Recipe } from './recipe-schema';

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

/**
 * Refuses what no method can do before any work is done: a quantized network is the end.
 * @throws E_OPTION_VALUE for a step behind `quantize`
 */
export function requireQuantizeLast(steps: readonly RecipeStep[], place: string): void {
  const index = steps.findIndex((_, at) => at > 0 && steps[at - 1].method.name === quantizeMethod.name);
  if (index < 0) return;
  const { name } = steps[index].method;
  const expected = `no step behind ${quantizeMethod.name}: all of them need a float network`;
  throw new HoneError('E_OPTION_VALUE', { option: `${place}steps[${index}]`, expected, found: name });
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
