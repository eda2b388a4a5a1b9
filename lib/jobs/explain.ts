import { matchingGlob } from '../compress/glob';
import type { LayerDecision } from '../compress/method';
import type { RecipeReport } from './recipe/recipe-report';

/** What one step did to a layer, and why. */
export interface LayerTreatment extends Omit<LayerDecision, 'layer'> {
  /** Place in the recipe's list of steps, from 0. */
  readonly step: number;
  readonly method: string;
}

/** All that happened to one layer. */
export interface ExplainedLayer {
  readonly layer: string;
  readonly treatments: readonly LayerTreatment[];
}

/**
 * Layer by layer what the steps behind a result did, in the order in which layers appear; `glob` picks some of them by name. A
 * layer that was rolled back says so instead of what the last try said about being told to leave it.
 */
export function explainReport({ steps, result }: RecipeReport, glob = '*'): ExplainedLayer[] {
  const layers = new Map<string, LayerTreatment[]>();
  for (const { index: step, method, decisions, rolledBack } of steps.slice(0, result.steps))
    for (const { layer, ...decision } of decisions) {
      if (matchingGlob(layer, [glob]) === undefined) continue;
      const because = rolledBack.includes(layer)
        ? { treatment: 'rolled back', reason: 'treated like the others, it cost more accuracy than maxDrop allows' }
        : decision;
      const known = layers.get(layer) ?? [];
      layers.set(layer, [...known, { step, method, ...because }]);
    }
  return [...layers].map(([layer, treatments]) => ({ layer, treatments }));
}
