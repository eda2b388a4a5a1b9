import { binary } from '../binary';
import { formulas, sumToOperands } from '../gradients';
import type { Operator } from '../operator';
import { FLOATS, required, typedAs } from '../schema';

const TYPES = [...FLOATS, 'int32', 'int64', 'uint32', 'uint64'] as const;

/** `x` above zero, `slope * x` below; the slope broadcasts to the input. */
export const pRelu: Operator = {
  ...binary({ op: 'PRelu', since: 16, types: TYPES, of: (x, slope) => (x < 0 ? slope * x : x), kernel: 'slope' }),
  schema: {
    inputs: [required('X', TYPES), typedAs(required('slope', TYPES), 'X')],
    outputs: [required('Y', TYPES)],
    attributes: {},
  },
  gradient: (context) => {
    const { node, emit, outputGradients } = context;
    const [x, slope] = node.inputs;
    const dy = outputGradients[0]!;
    const f = formulas(emit);
    return sumToOperands(
      context,
      () => f('Where', f('Less', x, 0), f('Mul', dy, slope), dy),
      () => f('Mul', dy, f('Min', x, 0)),
    );
  },
};
