import type { Operator } from '../operator';
import { unary } from '../unary';

/** `x / (1 + |x|)`. */
export const softsign: Operator = unary({
  op: 'Softsign',
  since: 1,
  of: () => (x) => x / (1 + Math.abs(x)),
  float: 'softsign',
  quantizable: true,
  // 1 / (1 + |x|)^2 = (1 - |y|)^2
  slope: (f, _x, y) => {
    const root = f('Sub', 1, f('Abs', y));
    return f('Mul', root, root);
  },
});
