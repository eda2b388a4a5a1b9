import { attribute } from '../ir/attribute';
import type { Node } from '../ir/graph';
import { toNumbers } from '../ir/tensor';
import { permutationOf } from '../ops/transpose';
import type { RewriteContext, Rule } from './rewrite';

/** Removes nodes that pass their first input on unchanged. */
export const removeNoOps: Rule = (node, context) => {
  if (node.domain !== '' || !passesOn(node, context)) return undefined;
  const [input] = node.inputs;
  const [output] = node.outputs;
  // A graph output needs a maker of its own name: only a node can be renamed to it, and only once.
  const renamable = context.producer(input) !== undefined && !context.isOutput(input);
  if (context.isOutput(output) && !(renamable && !readsInput(node, context))) return undefined;
  return { replace: new Map([[node, []]]), redirect: new Map([[output, input]]) };
};

/** Other output-making no-ops of the same input would compete for its maker. */
function readsInput(node: Node, context: RewriteContext): boolean {
  return context.consumers(node.inputs[0]).some((other) => other !== node && context.isOutput(other.outputs[0]));
}

function passesOn(node: Node, context: RewriteContext): boolean {
  const [input, output] = [context.typeOf(node.inputs[0]), context.typeOf(node.outputs[0])];
  const sameShape = input?.shape !== undefined && output?.shape !== undefined && equal(input.shape, output.shape);
  switch (node.op) {
    case 'Identity':
      return true;
    case 'Dropout':
      return isInferenceDropout(node, context);
    case 'Reshape':
    case 'Flatten':
    case 'Expand':
      return sameShape;
    case 'Cast':
      return input !== undefined && input.type === output?.type;
    case 'Concat':
      return node.inputs.length === 1;
    case 'Transpose':
      return input?.shape !== undefined && permutationOf(node, input.shape.length).every((axis, i) => axis === i);
    case 'Slice':
      return sameShape && (!node.inputs[4] || allEqual(node.inputs[4], 1, context));
    case 'Pad':
      return allEqual(node.inputs[1], 0, context);
    case 'Resize':
      return node.inputs[2] !== undefined && !node.inputs[3] && allEqual(node.inputs[2], 1, context);
    case 'Clip':
      return !node.inputs[1] && !node.inputs[2];
    default:
      return false;
  }
}

function isInferenceDropout(node: Node, context: RewriteContext): boolean {
  const [, mask = ''] = node.outputs;
  if (mask !== '' && (context.consumers(mask).length > 0 || context.isOutput(mask))) return false;
  return !node.inputs[2] || allEqual(node.inputs[2], 0, context);
}

/** Types that pads, steps and flags may have. */
const NUMERIC = { int64: true, int32: true, bool: true, float32: true };

function allEqual(value: string, expected: number, context: RewriteContext): boolean {
  const tensor = context.constant(value);
  return tensor !== undefined && tensor.type in NUMERIC && toNumbers(tensor).every((element) => element === expected);
}

function equal(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis]);
}

/** Concat without the inputs that add nothing. */
export const dropEmptyParts: Rule = (node, context) => {
  if (node.op !== 'Concat' || node.domain !== '' || node.inputs.length < 2) return undefined;
  const axis = attribute(node, 'axis', 'int');
  const kept = node.inputs.filter((input) => context.typeOf(input)?.shape?.at(axis) !== 0);
  if (kept.length === 0 || kept.length === node.inputs.length) return undefined;
  return { replace: new Map([[node, [{ ...node, inputs: kept }]]]) };
};

/** Two Transposes in a row become one. */
export const mergeTransposes: Rule = (node, context) => {
  if (node.op !== 'Transpose' || node.domain !== '') return undefined;
  const first = context.producer(node.inputs[0]);
  const rank = context.typeOf(node.inputs[0])?.shape?.length;
  if (first?.op !== 'Transpose' || first.domain !== '' || rank === undefined) return undefined;
  const [inner, outer] = [permutationOf(first, rank), permutationOf(node, rank)];
  const perm = { kind: 'ints', value: outer.map((axis) => inner[axis]) } as const;
  return {
    replace: new Map([[node, [{ ...node, inputs: [first.inputs[0]], attributes: new Map([['perm', perm]]) }]]]),
  };
};

/** A Reshape to constant extents does not care for the shape that another relabelling gave before. */
export const mergeReshapes: Rule = (node, context) => {
  if (node.op !== 'Reshape' || node.domain !== '' || attribute(node, 'allowzero', 'int', 0)) return undefined;
  const first = context.producer(node.inputs[0]);
  const target = context.constant(node.inputs[1]);
  if (first?.domain !== '' || !target || toNumbers(target).includes(0)) return undefined;
  if (!['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze'].includes(first.op)) return undefined;
  return { replace: new Map([[node, [{ ...node, inputs: [first.inputs[0], node.inputs[1]] }]]]) };
};
