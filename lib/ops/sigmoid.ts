import type { Operator } from './operator';
import { unary } from './unary';

/** Logistic function `1 / (1 + exp(-x))`. */
export const sigmoid: Operator = unary({
  op: 'Sigmoid',
  since: 13,
  of: () => (x) => 1 / (1 + Math.exp(-x)),
  quantizable: true,
});
