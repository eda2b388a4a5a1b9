import { productOfDims } from './dims';
import type { Operator } from './operator';
import { reduction } from './reduction';
import { FLOATS } from './schema';

/** Product over axes. */
export const reduceProd: Operator = reduction({
  op: 'ReduceProd',
  since: 18,
  axesInputSince: 18,
  types: [...FLOATS, 'int32', 'int64', 'uint32', 'uint64'],
  start: () => 1,
  step: (product, x) => product * x,
  ofDims: productOfDims,
});
