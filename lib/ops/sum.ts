import { binary } from './binary';
import type { Operator } from './operator';
import { FLOATS } from './schema';

/** Sum of any number of broadcast tensors. */
export const sum: Operator = binary({
  op: 'Sum',
  since: 13,
  types: FLOATS,
  of: (a, b) => a + b,
  variadic: true,
});
