import { binary } from '../binary';
import { extremeOperandGradient } from '../extreme-gradient';
import type { Operator } from '../operator';

/** Math.max, but with the sign of zero left to the operands' order, as runtimes do. */
function maximum(a: number, b: number): number {
  return Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : Math.max(b, a);
}

/** Largest of broadcast tensors, element by element; NaN wins. */
export const max: Operator = {
  ...binary({
    op: 'Max',
    since: 13,
    of: maximum,
    variadic: true,
  }),
  gradient: extremeOperandGradient,
};
