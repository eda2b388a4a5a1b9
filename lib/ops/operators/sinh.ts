import type { Operator } from '../operator';
import { unary } from '../unary';

/** Hyperbolic sine. */
export const sinh: Operator = unary({
  op: 'Sinh',
  since: 9,
  of: () => Math.sinh,
  float: 'sinh',
  slope: (f, x) => f('Cosh', x),
});
