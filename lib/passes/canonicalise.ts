import { attribute, attributes } from '../ir/attribute';
import type { Graph } from '../ir/graph';
import { productOfDims } from '../ops/dims';
import { absorbBias, matMulToGemm, meanToPool, replaceBy, subtractToAdd } from './absorb-constants';
import { dropEmptyParts, mergeReshapes, mergeTransposes, removeNoOps } from './remove-no-ops';
import { applyRules, type Rule } from './rewrite';
import { clampBeforePool, mergeClamps, minMaxToClip } from './simplify-clamps';

/**
 * The graph with one form for what can be written in several ways: biases inside Conv and Gemm, clamps as Relu or Clip right
 * behind their layer, global means as pools, matrix views as Flatten, no node without effect. Needs inferred shapes; returns
 * the same graph when it is canonical already.
 */
export function canonicalise(graph: Graph): Graph {
  return applyRules(graph, RULES);
}

/** Reshape or Squeeze to `[first extent, all others]` becomes Flatten, which says the same for every batch size. */
const toFlatten: Rule = (node, context) => {
  if (node.domain !== '' || (node.op !== 'Reshape' && node.op !== 'Squeeze')) return undefined;
  if (node.op === 'Reshape' && attribute(node, 'allowzero', 'int', 0)) return undefined;
  const [input, output] = [context.typeOf(node.inputs[0])?.shape, context.typeOf(node.outputs[0])?.shape];
  if (!input || input.length < 3 || output?.length !== 2) return undefined;
  if (output[0] !== input[0] || output[1] !== productOfDims(input.slice(1))) return undefined;
  return replaceBy(node, { ...node, op: 'Flatten', inputs: [node.inputs[0]], attributes: attributes({ axis: 1 }) });
};

const RULES: readonly Rule[] = [
  dropEmptyParts,
  removeNoOps,
  mergeTransposes,
  mergeReshapes,
  minMaxToClip,
  mergeClamps,
  clampBeforePool,
  subtractToAdd,
  absorbBias,
  matMulToGemm,
  meanToPool,
  toFlatten,
];
