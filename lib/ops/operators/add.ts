import { binary } from '../binary';
import { addDims } from '../dims';
import { sumToOperands } from '../gradients';
import type { Operator } from '../operator';

/** Sum of two broadcast tensors. */
export const add: Operator = {
  ...binary({
    op: 'Add',
    since: 14,
    of: (a, b) => a + b,
    ofDims: addDims,
    kernel: 'add',
  }),
  gradient: (context) => {
    const dy = context.outputGradients[0]!;
    return sumToOperands(
      context,
      () => dy,
      () => dy,
    );
  },
};
