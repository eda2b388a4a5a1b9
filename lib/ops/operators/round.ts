import { roundHalfToEven } from '../../core/half';
import type { Operator } from '../operator';
import { unary } from '../unary';

/**
 * Nearest integer, ties to even. The true derivative is zero almost everywhere and would stop all training before it; the
 * gradient is the straight-through one instead: the derivative counts as 1 (Bengio, Leonard and Courville 2013, section 4).
 */
export const round: Operator = {
  ...unary({
    op: 'Round',
    since: 11,
    of: () => roundHalfToEven,
    float: 'round',
  }),
  gradient: ({ outputGradients }) => [outputGradients[0]],
};
