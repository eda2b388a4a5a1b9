import { asColumn, formulas } from '../gradients';
import type { Operator } from '../operator';
import { engineAccumulation, reduction } from '../reduction';
import { FLOATS } from '../schema';

/** Sum of absolute values over axes. */
export const reduceL1: Operator = {
  ...reduction({
    op: 'ReduceL1',
    since: 18,
    axesInputSince: 18,
    types: [...FLOATS, 'int32', 'int64', 'uint32', 'uint64'],
    start: () => 0,
    step: (sum, x) => sum + Math.abs(x),
  }),
  ...engineAccumulation('l1'),
  gradient: (context) => {
    const { node, emit, outputGradients } = context;
    const f = formulas(emit);
    return [f('Mul', f('Sign', node.inputs[0]), asColumn(context, outputGradients[0]!))];
  },
};
