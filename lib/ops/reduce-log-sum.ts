import type { Operator } from './operator';
import { reduction } from './reduction';
import { FLOATS } from './schema';

/** Logarithm of the sum over axes. */
export const reduceLogSum: Operator = reduction({
  op: 'ReduceLogSum',
  since: 18,
  axesInputSince: 18,
  types: [...FLOATS, 'int32', 'int64', 'uint32', 'uint64'],
  start: () => 0,
  step: (sum, x) => sum + x,
  finish: Math.log,
});
