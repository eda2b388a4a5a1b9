import type { Operator } from './operator';
import { unary } from './unary';

/** Square root; NaN below zero. */
export const sqrt: Operator = unary({
  op: 'Sqrt',
  since: 13,
  of: () => Math.sqrt,
});
