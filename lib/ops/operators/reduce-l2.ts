import { asColumn, formulas } from '../gradients';
import type { Operator } from '../operator';
import { engineAccumulation, reduction } from '../reduction';
import { FLOATS } from '../schema';

/** Root of the sum of squares over axes. */
export const reduceL2: Operator = {
  ...reduction({
    op: 'ReduceL2',
    since: 18,
    axesInputSince: 18,
    types: [...FLOATS, 'int32', 'int64', 'uint32', 'uint64'],
    start: () => 0,
    step: (sum, x) => sum + x * x,
    finish: Math.sqrt,
  }),
  ...engineAccumulation('l2'),
  // dx = dy * x / y; 0 where all elements are 0
  gradient: (context) => {
    const { node, emit, outputGradients } = context;
    const f = formulas(emit);
    const perLength = f('Div', outputGradients[0]!, f('Max', node.outputs[0], 1e-30));
    return [f('Mul', node.inputs[0], asColumn(context, perLength))];
  },
};
