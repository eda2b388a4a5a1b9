import type { Operator } from './operator';
import { unary } from './unary';

/** `x * tanh(ln(1 + exp(x)))` (Misra 2019). */
export const mish: Operator = unary({
  op: 'Mish',
  since: 18,
  of: () => (x) => x * Math.tanh(Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  quantizable: true,
});
