import type { Operator } from './operator';
import { SIGNED_NUMBERS } from './schema';
import { unary } from './unary';

/** `max(x, 0)`; NaN stays NaN. */
export const relu: Operator = unary({
  op: 'Relu',
  since: 14,
  types: SIGNED_NUMBERS,
  of: () => (x) => Math.max(x, 0),
  clamp: () => [0, Number.POSITIVE_INFINITY],
  quantizable: true,
});
