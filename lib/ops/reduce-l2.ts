import type { Operator } from './operator';
import { reduction } from './reduction';
import { FLOATS } from './schema';

/** Root of the sum of squares over axes. */
export const reduceL2: Operator = reduction({
  op: 'ReduceL2',
  since: 18,
  axesInputSince: 18,
  types: [...FLOATS, 'int32', 'int64', 'uint32', 'uint64'],
  start: () => 0,
  step: (sum, x) => sum + x * x,
  finish: Math.sqrt,
});
