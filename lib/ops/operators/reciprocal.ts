import type { Operator } from '../operator';
import { unary } from '../unary';

/** `1 / x`. */
export const reciprocal: Operator = unary({
  op: 'Reciprocal',
  since: 13,
  of: () => (x) => 1 / x,
  float: 'reciprocal',
  slope: (f, _x, y) => f('Neg', f('Mul', y, y)),
});
