import { binary } from '../binary';
import { extremeOperandGradient } from '../extreme-gradient';
import type { Operator } from '../operator';

/** Largest of broadcast tensors, element by element; NaN wins. */
export const max: Operator = {
  ...binary({
    op: 'Max',
    since: 13,
    of: Math.max,
    variadic: true,
    kernel: 'maximum',
  }),
  gradient: extremeOperandGradient,
};
