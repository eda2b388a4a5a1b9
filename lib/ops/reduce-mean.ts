import type { Operator } from './operator';
import { reduction } from './reduction';
import { FLOATS } from './schema';

/** Mean over axes. */
export const reduceMean: Operator = reduction({
  op: 'ReduceMean',
  since: 18,
  axesInputSince: 18,
  types: [...FLOATS, 'int32', 'int64', 'uint32', 'uint64'],
  start: () => 0,
  step: (sum, x) => sum + x,
  finish: (sum, count) => sum / count,
});
