import { binary } from '../binary';
import type { Operator } from '../operator';

/** Whether `a > b`, on broadcast tensors. */
export const greater: Operator = binary({
  op: 'Greater',
  since: 13,
  output: 'bool',
  of: (a, b) => Number(a > b),
  lower: () => ({ kernel: 'compare', comparison: 'greater' }),
});
