import type { Operator } from '../operator';
import { unary } from '../unary';

/** Hyperbolic cosine. */
export const cosh: Operator = unary({
  op: 'Cosh',
  since: 9,
  of: () => Math.cosh,
  float: 'cosh',
  slope: (f, x) => f('Sinh', x),
});
