import type { Operator } from '../operator';
import { unary } from '../unary';

/** Whether the element is not a number. */
export const isNaNOperator: Operator = {
  ...unary({
    op: 'IsNaN',
    since: 20,
    output: 'bool',
    of: () => (x) => Number(Number.isNaN(x)),
  }),
  lower: () => ({ kernel: 'compare', comparison: 'not_equal', beside: 'itself' }),
};
