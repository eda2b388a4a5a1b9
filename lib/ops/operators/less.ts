import { binary } from '../binary';
import type { Operator } from '../operator';

/** Whether `a < b`, on broadcast tensors. */
export const less: Operator = binary({
  op: 'Less',
  since: 13,
  output: 'bool',
  of: (a, b) => Number(a < b),
  lower: () => ({ kernel: 'compare', comparison: 'less' }),
});
