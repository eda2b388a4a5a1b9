import { binary } from '../binary';
import type { Operator } from '../operator';

/** Logical exclusive disjunction of broadcast tensors. */
export const xor: Operator = binary({
  op: 'Xor',
  since: 7,
  types: ['bool'],
  of: (a, b) => a ^ b,
  lower: () => ({ kernel: 'integer', operation: 'xor' }),
});
