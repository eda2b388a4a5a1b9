import { attribute } from '../ir/attribute';
import type { Node } from '../ir/graph';
import { dimsOf, zerosOf } from './gradients';
import type { ScatterCombination } from './kernel-call';
import type { GradientContext, Operator } from './operator';
import { problem } from './schema';

/** How a scatter combines an update with what stands at its place (attribute `reduction`). */
export function scatterReduction(node: Node): (old: number, update: number) => number {
  switch (attribute(node, 'reduction', 'string', 'none')) {
    case 'add':
      return (old, update) => old + update;
    case 'mul':
      return (old, update) => old * update;
    case 'min':
      return Math.min;
    case 'max':
      return Math.max;
    default:
      return (_, update) => update;
  }
}

/** The same in the engine's words. */
export function scatterCombination(node: Node): ScatterCombination {
  switch (attribute(node, 'reduction', 'string', 'none')) {
    case 'add':
      return 'add';
    case 'mul':
      return 'multiply';
    case 'min':
      return 'minimum';
    case 'max':
      return 'maximum';
    default:
      return 'replace';
  }
}

/**
 * Gradient of a scatter; `gather` is the operator that reads at the same indices. Replaced elements of the data get none;
 * with addition they keep theirs. Indices that occur twice without a reduction are undefined in ONNX.
 */
export function scatterGradient(
  { node, emit, outputGradients, wants }: GradientContext,
  gather: 'GatherElements' | 'GatherND',
): ReturnType<NonNullable<Operator['gradient']>> {
  const reduction = attribute(node, 'reduction', 'string', 'none');
  if (reduction !== 'none' && reduction !== 'add')
    return problem(node, 'missing-gradient', `reduction ${reduction} has no gradient; expected none or add`);
  const dy = outputGradients[0]!;
  const [, indices, updates] = node.inputs;
  const axis = gather === 'GatherElements' ? { axis: attribute(node, 'axis', 'int', 0) } : {};
  const kept = () =>
    reduction === 'add' ? dy : emit.node(node.op, [dy, indices, zerosOf(emit, dimsOf(emit, updates))], axis);
  return [wants(0) ? kept() : undefined, undefined, wants(2) ? emit.node(gather, [dy, indices], axis) : undefined];
}
