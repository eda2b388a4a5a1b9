import type { Operator } from '../operator';
import { unary } from '../unary';

/** Natural logarithm; NaN below zero. */
export const log: Operator = {
  ...unary({
    op: 'Log',
    since: 13,
    of: () => Math.log,
    float: 'log',
  }),
  gradient: ({ node, emit, outputGradients }) => [emit.node('Div', [outputGradients[0]!, node.inputs[0]])],
};
