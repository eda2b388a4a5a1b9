import { binary } from '../binary';
import { mulDims } from '../dims';
import { sumToOperands } from '../gradients';
import type { Operator } from '../operator';

/** Exact up to 2^53; beyond, the low 32 bits, which is what 32-bit types keep. */
function multiplyIntegers(a: number, b: number): number {
  const product = a * b;
  return Number.isSafeInteger(product) ? product : Number(BigInt.asIntN(32, BigInt(a) * BigInt(b)));
}

/** Product of two broadcast tensors. */
export const mul: Operator = {
  ...binary({
    op: 'Mul',
    since: 14,
    of: (a, b) => a * b,
    ofIntegers: multiplyIntegers,
    ofDims: mulDims,
    kernel: 'multiply',
  }),
  gradient: (context) => {
    const { node, emit, outputGradients } = context;
    const times = (factor: string) => () => emit.node('Mul', [outputGradients[0]!, factor]);
    return sumToOperands(context, times(node.inputs[1]), times(node.inputs[0]));
  },
};
