import type { Graph } from '../ir/graph';
import { ABSORB_CONSTANTS } from './absorb-constants';
import { EXPLICIT_PADS } from './explicit-pads';
import { REMOVE_NO_OPS, TO_FLATTEN } from './remove-no-ops';
import { applyRules, type Rule, type Trace } from './rewrite';
import { SIMPLIFY_CLAMPS } from './simplify-clamps';

/** Rules that bring a graph to one form, in the order in which a node tries them. */
export const CANONICALISE: readonly Rule[] = [
  ...REMOVE_NO_OPS,
  ...SIMPLIFY_CLAMPS,
  ...ABSORB_CONSTANTS,
  ...TO_FLATTEN,
  ...EXPLICIT_PADS,
];

/**
 * The graph with one form for what can be written in several ways: biases inside Conv and Gemm, clamps as Relu or Clip right
 * behind their layer, global means as pools, matrix views as Flatten, no node without effect. Needs inferred shapes; returns
 * the same graph when it is canonical already.
 */
export function canonicalise(graph: Graph, trace?: Trace): Graph {
  return applyRules(graph, CANONICALISE, trace);
}
