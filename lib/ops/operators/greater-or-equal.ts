import { binary } from '../binary';
import type { Operator } from '../operator';

/** Whether `a >= b`, on broadcast tensors. */
export const greaterOrEqual: Operator = binary({
  op: 'GreaterOrEqual',
  since: 16,
  output: 'bool',
  of: (a, b) => Number(a >= b),
  lower: () => ({ kernel: 'compare', comparison: 'greater_or_equal' }),
});
