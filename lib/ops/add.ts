import { binary } from './binary';
import { addDims } from './dims';
import type { Operator } from './operator';

/** Sum of two broadcast tensors. */
export const add: Operator = binary({
  op: 'Add',
  since: 14,
  of: (a, b) => a + b,
  ofDims: addDims,
  kernel: 'add',
});
