import { floats } from '../gradients';
import type { Operator } from '../operator';
import { unary } from '../unary';

/** Logistic function `1 / (1 + exp(-x))`. */
export const sigmoid: Operator = {
  traits: ['squashes'],
  ...unary({
    op: 'Sigmoid',
    since: 13,
    of: () => (x) => 1 / (1 + Math.exp(-x)),
    float: 'sigmoid',
    quantizable: true,
  }),
  // dx = dy * y * (1 - y)
  gradient: ({ node, emit, outputGradients }) => {
    const y = node.outputs[0];
    const slope = emit.node('Mul', [y, emit.node('Sub', [floats(emit, [1]), y])]);
    return [emit.node('Mul', [outputGradients[0]!, slope])];
  },
};
