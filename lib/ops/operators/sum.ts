import { binary } from '../binary';
import { dimsOf, sumToShape } from '../gradients';
import type { Operator } from '../operator';
import { FLOATS } from '../schema';

/** Sum of any number of broadcast tensors. */
export const sum: Operator = {
  ...binary({
    op: 'Sum',
    since: 13,
    types: FLOATS,
    of: (a, b) => a + b,
    variadic: true,
    kernel: 'add',
  }),
  gradient: ({ node, emit, outputGradients, wants }) =>
    node.inputs.map((input, index) =>
      wants(index) ? sumToShape(emit, outputGradients[0]!, dimsOf(emit, input)) : undefined,
    ),
};
