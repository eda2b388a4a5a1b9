import type { Operator } from '../operator';
import { unary } from '../unary';

/** Inverse hyperbolic tangent; NaN beyond 1. */
export const atanh: Operator = unary({
  op: 'Atanh',
  since: 9,
  of: () => Math.atanh,
  float: 'atanh',
  slope: (f, x) => f('Reciprocal', f('Sub', 1, f('Mul', x, x))),
});
