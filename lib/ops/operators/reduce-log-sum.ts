import { formulas, spreadOver } from '../gradients';
import type { Operator } from '../operator';
import { engineAccumulation, reduction } from '../reduction';
import { FLOATS } from '../schema';

/** Logarithm of the sum over axes. */
export const reduceLogSum: Operator = {
  ...reduction({
    op: 'ReduceLogSum',
    since: 18,
    axesInputSince: 18,
    types: [...FLOATS, 'int32', 'int64', 'uint32', 'uint64'],
    start: () => 0,
    step: (sum, x) => sum + x,
    finish: Math.log,
  }),
  ...engineAccumulation('log_sum'),
  // dx = dy / sum, and the sum is exp(y)
  gradient: (context) => {
    const f = formulas(context.emit);
    return [spreadOver(context, f('Div', context.outputGradients[0]!, f('Exp', context.node.outputs[0])))];
  },
};
