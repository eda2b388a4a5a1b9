import { binary } from '../binary';
import { subDims } from '../dims';
import { sumToOperands } from '../gradients';
import type { Operator } from '../operator';

/** Difference of two broadcast tensors. */
export const sub: Operator = {
  ...binary({
    op: 'Sub',
    since: 14,
    of: (a, b) => a - b,
    ofDims: subDims,
    kernel: 'subtract',
    staysFloat: true,
  }),
  gradient: (context) => {
    const dy = context.outputGradients[0]!;
    return sumToOperands(
      context,
      () => dy,
      () => context.emit.node('Neg', [dy]),
    );
  },
};
