import type { Operator } from '../operator';
import { unary } from '../unary';

/** Logical complement. */
export const not: Operator = {
  ...unary({
    op: 'Not',
    since: 1,
    types: ['bool'],
    of: () => (x) => 1 - x,
  }),
  lower: () => ({ kernel: 'compare', comparison: 'equal', beside: 0 }),
};
