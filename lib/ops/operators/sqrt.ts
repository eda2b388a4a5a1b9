import { floats } from '../gradients';
import type { Operator } from '../operator';
import { unary } from '../unary';

/** Square root; NaN below zero. */
export const sqrt: Operator = {
  traits: ['squashes'],
  ...unary({
    op: 'Sqrt',
    since: 13,
    of: () => Math.sqrt,
    float: 'sqrt',
  }),
  // dx = dy / (2 * y)
  gradient: ({ node, emit, outputGradients }) => {
    const half = emit.node('Mul', [outputGradients[0]!, floats(emit, [0.5])]);
    return [emit.node('Div', [half, node.outputs[0]])];
  },
};
