import type { Operator } from '../operator';
import { unary } from '../unary';

/** Radians whose cosine is the element; NaN beyond 1. */
export const acos: Operator = unary({
  op: 'Acos',
  since: 7,
  of: () => Math.acos,
  float: 'acos',
  slope: (f, x) => f('Neg', f('Reciprocal', f('Sqrt', f('Sub', 1, f('Mul', x, x))))),
});
