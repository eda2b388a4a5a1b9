import type { Operator } from './operator';
import { unary } from './unary';

/** `x * clamp(x / 6 + 1 / 2, 0, 1)`. */
export const hardSwish: Operator = unary({
  op: 'HardSwish',
  since: 14,
  of: () => (x) => x * Math.max(0, Math.min(1, x / 6 + 0.5)),
  quantizable: true,
});
