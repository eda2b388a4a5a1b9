import { binary } from '../binary';
import type { Operator } from '../operator';

/** Logical disjunction of broadcast tensors. */
export const or: Operator = binary({
  op: 'Or',
  since: 7,
  types: ['bool'],
  of: (a, b) => a | b,
  lower: () => ({ kernel: 'integer', operation: 'or' }),
});
