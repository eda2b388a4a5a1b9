import { asColumn, formulas } from '../gradients';
import type { Operator } from '../operator';
import { engineAccumulation, reduction } from '../reduction';
import { FLOATS } from '../schema';

/** Sum of squares over axes. */
export const reduceSumSquare: Operator = {
  ...reduction({
    op: 'ReduceSumSquare',
    since: 18,
    axesInputSince: 18,
    types: [...FLOATS, 'int32', 'int64', 'uint32', 'uint64'],
    start: () => 0,
    step: (sum, x) => sum + x * x,
  }),
  ...engineAccumulation('sum_square'),
  gradient: (context) => {
    const { node, emit, outputGradients } = context;
    const f = formulas(emit);
    return [f('Mul', node.inputs[0], asColumn(context, f('Mul', outputGradients[0]!, 2)))];
  },
};
