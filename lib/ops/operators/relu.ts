import type { Emitter, Operator } from '../operator';
import { SIGNED_NUMBERS } from '../schema';
import { unary } from '../unary';

/** `max(x, 0)`; NaN stays NaN. */
export const relu: Operator = {
  traits: ['homogeneous', 'rectifies', 'squashes'],
  ...unary({
    op: 'Relu',
    since: 14,
    types: SIGNED_NUMBERS,
    of: () => (x) => Math.max(x, 0),
    clamp: () => [0, Number.POSITIVE_INFINITY],
    quantizable: true,
  }),
  gradient: ({ node, emit, outputGradients }) => [
    emit.node('Mul', [outputGradients[0]!, maskOfPositive(emit, node.outputs[0])]),
  ],
};

/**
 * 1 where the output of a Relu is positive, else 0: min(1, 3e38 * y), one pass of a HardSigmoid. A comparison with Where
 * takes 2.5 times as long. Below 3e-39, among the subnormal numbers, the mask is less than 1. The output serves instead of
 * the input, so that the executor may fuse the Relu with the layer before it.
 */
function maskOfPositive(emit: Emitter, y: string): string {
  const alpha = { kind: 'float', value: 3e38 } as const;
  return emit.node('HardSigmoid', [y], { alpha, beta: { kind: 'float', value: 0 } });
}
