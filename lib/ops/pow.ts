import { combine } from './binary';
import { broadcastShapes } from './broadcast';
import { elementCost } from './cost';
import type { Operator } from './operator';
import { FLOATS, NUMBERS, problem, required } from './schema';

const BASES = [...FLOATS, 'int32', 'int64'] as const;

/** `base ** exponent` on broadcast tensors; the exponent may have another type, the result has that of the base. */
export const pow: Operator = {
  op: 'Pow',
  domain: '',
  since: 15,
  schema: { inputs: [required('X', BASES), required('Y', NUMBERS)], outputs: [required('Z', BASES)], attributes: {} },
  infer: ({ node, inputs: [base, exponent] }) => {
    const { type } = base!;
    if (!base!.shape || !exponent!.shape) return [{ type, shape: undefined }];
    const shape = broadcastShapes([base!.shape, exponent!.shape]);
    if (shape) return [{ type, shape }];
    return problem(node, 'shape-mismatch', `shapes [${base!.shape}] and [${exponent!.shape}] do not broadcast`);
  },
  evaluate: ([base, exponent], _node, precision) => [
    combine(base!, exponent!, base!.type, (x, y) => x ** y, precision),
  ],
  cost: elementCost,
};
