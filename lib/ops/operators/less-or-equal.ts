import { binary } from '../binary';
import type { Operator } from '../operator';

/** Whether `a <= b`, on broadcast tensors. */
export const lessOrEqual: Operator = binary({
  op: 'LessOrEqual',
  since: 16,
  output: 'bool',
  of: (a, b) => Number(a <= b),
  lower: () => ({ kernel: 'compare', comparison: 'less_or_equal' }),
});
