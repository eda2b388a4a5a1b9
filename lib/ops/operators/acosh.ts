import type { Operator } from '../operator';
import { unary } from '../unary';

/** Inverse hyperbolic cosine; NaN below 1. */
export const acosh: Operator = unary({
  op: 'Acosh',
  since: 9,
  of: () => Math.acosh,
  float: 'acosh',
  slope: (f, x) => f('Reciprocal', f('Sqrt', f('Sub', f('Mul', x, x), 1))),
});
