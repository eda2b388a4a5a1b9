import { binary } from '../binary';
import { extremeOperandGradient } from '../extreme-gradient';
import type { Operator } from '../operator';

/** Math.min, but with the sign of zero left to the operands' order, as runtimes do. */
function minimum(a: number, b: number): number {
  return Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : Math.min(b, a);
}

/** Smallest of broadcast tensors, element by element; NaN wins. */
export const min: Operator = {
  ...binary({
    op: 'Min',
    since: 13,
    of: minimum,
    variadic: true,
  }),
  gradient: extremeOperandGradient,
};
