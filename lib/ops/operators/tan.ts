import type { Operator } from '../operator';
import { unary } from '../unary';

/** Tangent of radians. */
export const tan: Operator = unary({
  op: 'Tan',
  since: 7,
  of: () => Math.tan,
  float: 'tan',
  slope: (f, _x, y) => f('Add', f('Mul', y, y), 1),
});
