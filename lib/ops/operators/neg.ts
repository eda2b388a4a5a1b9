import type { Operator } from '../operator';
import { SIGNED_NUMBERS } from '../schema';
import { unary } from '../unary';

/** Sign change, element by element. */
export const neg: Operator = {
  ...unary({
    op: 'Neg',
    since: 13,
    types: SIGNED_NUMBERS,
    of: () => (x) => -x,
    float: 'negate',
    quantizable: true,
  }),
  gradient: ({ emit, outputGradients }) => [emit.node('Neg', [outputGradients[0]!])],
};
