import type { Operator } from '../operator';
import { unary } from '../unary';

/** Sine of radians. */
export const sin: Operator = unary({
  op: 'Sin',
  since: 7,
  of: () => Math.sin,
  float: 'sin',
  slope: (f, x) => f('Cos', x),
});
