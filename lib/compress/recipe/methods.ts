import type { z } from 'zod';
import type { Graph } from '../../ir/graph';
import { distill } from '../distill/distill';
import { finetune } from '../distill/finetune';
import type { Method, MethodContext, MethodResult, Milder } from '../method';
import { prune } from '../prune/prune';
import { quantizeMethod } from '../quantize/quantize-method';
import { pruneStructured } from '../structured/prune-structured';

/** A method as a recipe sees it: only its own schema knows what its options are. */
export interface RecipeMethod extends Omit<Method<unknown>, 'options' | 'apply' | 'milder' | 'makesUp'> {
  readonly options: z.ZodType;
  readonly apply: (graph: Graph, options: never, context: MethodContext) => Promise<MethodResult>;
  readonly milder?: (options: never, share: number) => Milder<unknown> | undefined;
  readonly makesUp?: (options: never) => boolean;
}

/** A method with its place among the others. */
export interface MethodRow {
  readonly method: RecipeMethod;
  /**
   * Wins accuracy back instead of spending it: the step before it is judged after it, and where it stands between the others
   * is free as long as quantization comes last.
   */
  readonly recovers?: boolean;
}

/** Every method that a recipe may name, in the recommended order. */
export const METHODS: readonly MethodRow[] = [
  { method: pruneStructured },
  { method: prune },
  { method: finetune, recovers: true },
  { method: distill, recovers: true },
  { method: quantizeMethod },
];
