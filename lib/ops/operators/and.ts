import { binary } from '../binary';
import type { Operator } from '../operator';

/** Logical conjunction of broadcast tensors. */
export const and: Operator = binary({
  op: 'And',
  since: 7,
  types: ['bool'],
  of: (a, b) => a & b,
  lower: () => ({ kernel: 'integer', operation: 'and' }),
});
