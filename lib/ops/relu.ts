import { floats } from './gradients';
import type { Operator } from './operator';
import { SIGNED_NUMBERS } from './schema';
import { unary } from './unary';

/** `max(x, 0)`; NaN stays NaN. */
export const relu: Operator = {
  ...unary({
    op: 'Relu',
    since: 14,
    types: SIGNED_NUMBERS,
    of: () => (x) => Math.max(x, 0),
    clamp: () => [0, Number.POSITIVE_INFINITY],
    quantizable: true,
  }),
  // The mask comes from the output, so that the executor may fuse the Relu with the layer before it.
  gradient: ({ node, emit, outputGradients }) => {
    const zero = floats(emit, [0]);
    return [emit.node('Where', [emit.node('Greater', [node.outputs[0], zero]), outputGradients[0]!, zero])];
  },
};
