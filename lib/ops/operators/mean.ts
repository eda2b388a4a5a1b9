import { binary } from '../binary';
import { dimsOf, formulas, sumToShape } from '../gradients';
import type { Operator } from '../operator';
import { FLOATS } from '../schema';

const sumOfAll = binary({
  op: 'Mean',
  since: 13,
  types: FLOATS,
  of: (a, b) => a + b,
  variadic: true,
  kernel: 'add',
  staysFloat: true,
});

/** Mean of any number of broadcast tensors, element by element. */
export const mean: Operator = {
  ...sumOfAll,
  evaluate: (inputs, node, precision) => {
    const [sum] = sumOfAll.evaluate!(inputs, node, precision);
    return [{ ...sum, data: sum.data.map((x: number) => x / inputs.length) as typeof sum.data }];
  },
  lower: (context) => {
    const call = sumOfAll.lower!(context);
    return 'kernel' in call && call.kernel === 'binary' ? { ...call, divisor: context.node.inputs.length } : call;
  },
  gradient: ({ node, emit, outputGradients, wants }) => {
    const share = formulas(emit)('Mul', outputGradients[0]!, 1 / node.inputs.length);
    return node.inputs.map((input, index) => (wants(index) ? sumToShape(emit, share, dimsOf(emit, input)) : undefined));
  },
};
