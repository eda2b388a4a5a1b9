import { addDims } from '../dims';
import { spreadOver } from '../gradients';
import type { Operator } from '../operator';
import { engineAccumulation, reduction } from '../reduction';
import { FLOATS } from '../schema';

/** Sum over axes. */
export const reduceSum: Operator = {
  ...reduction({
    op: 'ReduceSum',
    since: 13,
    axesInputSince: 13,
    types: [...FLOATS, 'int32', 'int64', 'uint32', 'uint64'],
    start: () => 0,
    step: (sum, x) => sum + x,
    ofDims: (dims) => dims.reduce(addDims, 0),
  }),
  ...engineAccumulation('sum'),
  gradient: (context) => [spreadOver(context, context.outputGradients[0]!)],
};
