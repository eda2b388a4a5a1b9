import type { Operator } from '../operator';
import { unary } from '../unary';

/** `e ** x`. */
export const exp: Operator = {
  traits: ['squashes'],
  ...unary({
    op: 'Exp',
    since: 13,
    of: () => Math.exp,
    float: 'exp',
  }),
  gradient: ({ node, emit, outputGradients }) => [emit.node('Mul', [outputGradients[0]!, node.outputs[0]])],
};
