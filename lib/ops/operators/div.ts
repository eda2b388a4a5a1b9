import type { Dim } from '../../ir/graph';
import { binary } from '../binary';
import { divideExactly, floorDivDims, isNonNegative } from '../dims';
import { sumToOperands } from '../gradients';
import type { Operator } from '../operator';

/** Floor and truncation agree on extents, which are not negative. */
function divideDims(a: Dim, b: Dim): Dim | undefined {
  if (typeof b === 'number' && b > 0 && isNonNegative(a)) return floorDivDims(a, b);
  return divideExactly(a, b);
}

/** Quotient of two broadcast tensors; integers round toward zero. */
export const div: Operator = {
  ...binary({
    op: 'Div',
    since: 14,
    of: (a, b) => a / b,
    ofIntegers: (a, b) => Math.trunc(a / b),
    ofDims: divideDims,
    kernel: 'divide',
    staysFloat: true,
  }),
  // da = dy / b, db = -dy / b * y
  gradient: (context) => {
    const { node, emit, outputGradients } = context;
    const da = () => emit.node('Div', [outputGradients[0]!, node.inputs[1]]);
    return sumToOperands(context, da, () => emit.node('Neg', [emit.node('Mul', [da(), node.outputs[0]])]));
  },
};
