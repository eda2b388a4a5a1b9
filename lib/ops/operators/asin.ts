import type { Operator } from '../operator';
import { unary } from '../unary';

/** Radians whose sine is the element; NaN beyond 1. */
export const asin: Operator = unary({
  op: 'Asin',
  since: 7,
  of: () => Math.asin,
  float: 'asin',
  slope: (f, x) => f('Reciprocal', f('Sqrt', f('Sub', 1, f('Mul', x, x)))),
});
