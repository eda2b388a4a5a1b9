import type { Operator } from './operator';
import { unary } from './unary';

/** `x / (1 + |x|)`. */
export const softsign: Operator = unary({
  op: 'Softsign',
  since: 1,
  of: () => (x) => x / (1 + Math.abs(x)),
  quantizable: true,
});
