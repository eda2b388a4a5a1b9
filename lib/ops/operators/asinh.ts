import type { Operator } from '../operator';
import { unary } from '../unary';

/** Inverse hyperbolic sine. */
export const asinh: Operator = unary({
  op: 'Asinh',
  since: 9,
  of: () => Math.asinh,
  float: 'asinh',
  slope: (f, x) => f('Reciprocal', f('Sqrt', f('Add', f('Mul', x, x), 1))),
});
