import { asColumn, formulas } from '../gradients';
import type { Operator } from '../operator';
import { engineAccumulation, reduction } from '../reduction';
import { FLOATS } from '../schema';

/** Logarithm of the sum of exponentials over axes. */
export const reduceLogSumExp: Operator = {
  ...reduction({
    op: 'ReduceLogSumExp',
    since: 18,
    axesInputSince: 18,
    types: [...FLOATS, 'int32', 'int64', 'uint32', 'uint64'],
    start: () => Number.NEGATIVE_INFINITY,
    step: addLogarithms,
  }),
  ...engineAccumulation('log_sum_exp'),
  // dx = dy * exp(x - y)
  gradient: (context) => {
    const { node, emit, outputGradients } = context;
    const f = formulas(emit);
    const share = f('Exp', f('Sub', node.inputs[0], asColumn(context, node.outputs[0])));
    return [f('Mul', share, asColumn(context, outputGradients[0]!))];
  },
};

/** `log(exp(a) + exp(b))` without overflow. */
function addLogarithms(a: number, b: number): number {
  return Math.abs(a) === Number.POSITIVE_INFINITY && a === b
    ? a
    : Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));
}
