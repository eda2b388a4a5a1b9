import type { Operator } from '../operator';
import { unary } from '../unary';

/** Cosine of radians. */
export const cos: Operator = unary({
  op: 'Cos',
  since: 7,
  of: () => Math.cos,
  float: 'cos',
  slope: (f, x) => f('Neg', f('Sin', x)),
});
