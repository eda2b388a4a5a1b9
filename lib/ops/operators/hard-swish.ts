import type { Operator } from '../operator';
import { unary } from '../unary';

/** `x * clamp(x / 6 + 1 / 2, 0, 1)`. */
export const hardSwish: Operator = unary({
  op: 'HardSwish',
  traits: ['squashes'],
  since: 14,
  of: () => (x) => x * Math.max(0, Math.min(1, x / 6 + 0.5)),
  float: 'hard_swish',
  quantizable: true,
  slope: (f, x) => {
    const bent = f('Where', f('Less', x, 3), f('Add', f('Mul', x, 1 / 3), 0.5), 1);
    return f('Where', f('Greater', x, -3), bent, 0);
  },
});
