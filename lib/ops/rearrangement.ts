import type { Node } from '../ir/graph';
import { knownDims } from './dims';
import type { Operator } from './operator';
import { problem } from './schema';

/** How elements change places: the input seen with the extents `split`, its axes in another `order`, and joined again. */
export interface Rearrangement {
  readonly split: readonly number[];
  readonly order: readonly number[];
}

/** The engine's form of an operator that rearranges: what `of` says of a node and the extents of its input. */
export function lowerRearrangement(of: (node: Node, dims: readonly number[]) => Rearrangement): Operator['lower'] {
  return ({ node, inputs: [input] }) => {
    const dims = knownDims(input?.shape);
    return dims ? { kernel: 'rearrange', ...of(node, dims) } : problem(node, 'symbolic-shape', 'expected known shapes');
  };
}
