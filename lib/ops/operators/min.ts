import { binary } from '../binary';
import { extremeOperandGradient } from '../extreme-gradient';
import type { Operator } from '../operator';

/** Smallest of broadcast tensors, element by element; NaN wins. */
export const min: Operator = {
  ...binary({
    op: 'Min',
    since: 13,
    of: Math.min,
    variadic: true,
    kernel: 'minimum',
  }),
  gradient: extremeOperandGradient,
};
