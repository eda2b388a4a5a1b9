import { floats } from '../gradients';
import type { Operator } from '../operator';
import { unary } from '../unary';

/** Hyperbolic tangent. */
export const tanh: Operator = {
  traits: ['squashes'],
  ...unary({
    op: 'Tanh',
    since: 13,
    of: () => Math.tanh,
    float: 'tanh',
    quantizable: true,
  }),
  // dx = dy * (1 - y * y)
  gradient: ({ node, emit, outputGradients }) => {
    const y = node.outputs[0];
    const slope = emit.node('Sub', [floats(emit, [1]), emit.node('Mul', [y, y])]);
    return [emit.node('Mul', [outputGradients[0]!, slope])];
  },
};
