import type { Operator } from './operator';
import { unary } from './unary';

/** Hyperbolic tangent. */
export const tanh: Operator = unary({
  op: 'Tanh',
  since: 13,
  of: () => Math.tanh,
  quantizable: true,
});
