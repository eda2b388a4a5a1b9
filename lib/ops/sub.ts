import { binary } from './binary';
import { subDims } from './dims';
import type { Operator } from './operator';

/** Difference of two broadcast tensors. */
export const sub: Operator = binary({
  op: 'Sub',
  since: 14,
  of: (a, b) => a - b,
  ofDims: subDims,
});
