import type { Dim } from '../ir/graph';
import { noCost } from './cost';
import { relabelling } from './coupling';
import { dimsOf, reshapeTo } from './gradients';
import type { Dense, InferContext, Inferred, Operator } from './operator';

/** What operators share that give the same elements another shape: they move nothing. */
export const RELABEL = {
  coupling: relabelling,
  cost: noCost,
  quantization: { inputs: [{ role: 'activation' }, { role: 'none' }], output: 'same' },
  gradient: ({ node, emit, outputGradients }) => [reshapeTo(emit, outputGradients[0]!, dimsOf(emit, node.inputs[0]))],
  lower: () => ({ kernel: 'reshape' }),
} as const satisfies Partial<Operator>;

/** Inference result: the first input's elements under another shape. */
export function relabelled(context: InferContext, shape: readonly Dim[] | undefined): readonly Inferred[] {
  return [{ type: context.inputs[0]!.type, shape, partial: context.partial(0) }];
}

/** The same elements with other extents. */
export function withDims(data: Dense, dims: readonly number[]): readonly Dense[] {
  return [{ ...data, dims }];
}
