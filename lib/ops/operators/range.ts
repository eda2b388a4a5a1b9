import type { Dim } from '../../ir/graph';
import { elementCount } from '../../ir/tensor';
import { unknownDim } from '../axes';
import { elementCost } from '../cost';
import { emptyDense, isFloat, toDense } from '../dense';
import { ceilDivDims, isNonNegative, knownDims, subDims } from '../dims';
import type { InferContext, Operator } from '../operator';
import { problem, required, typedAs } from '../schema';

const TYPES = ['float32', 'float64', 'int16', 'int32', 'int64'] as const;

/** The numbers `start`, `start + delta`, ... before `limit`. */
export const range: Operator = {
  op: 'Range',
  domain: '',
  since: 11,
  schema: {
    inputs: [
      required('start', TYPES),
      typedAs(required('limit', TYPES), 'start'),
      typedAs(required('delta', TYPES), 'start'),
    ],
    outputs: [required('output', TYPES)],
    attributes: {},
  },
  infer: (context) => {
    const { node, inputs } = context;
    const { type } = inputs[0]!;
    const many = inputs.findIndex((input) => elementCount(knownDims(input?.shape) ?? []) !== 1);
    if (many !== -1) return problem(node, 'shape-mismatch', `expected one number, found [${inputs[many]!.shape}]`);
    const [start, limit, delta] = [0, 1, 2].map((index) => scalar(context, index));
    if (delta === 0) return problem(node, 'bad-step', 'a delta of 0 never ends');
    const symbol = unknownDim(node.outputs[0], 0);
    if (start === undefined || limit === undefined || typeof delta !== 'number') return [{ type, shape: [symbol] }];
    if (typeof start === 'number' && typeof limit === 'number') {
      const count = countOf(start, limit, delta);
      const listed = !isFloat(type) && count <= 1024;
      return [
        {
          type,
          shape: [count],
          partial: listed ? Array.from({ length: count }, (_, i) => start + i * delta) : undefined,
        },
      ];
    }
    const span = subDims(limit, start);
    return [{ type, shape: [delta > 0 && isNonNegative(span) ? ceilDivDims(span, delta) : symbol] }];
  },
  evaluate: ([start, limit, delta], _node, precision) => {
    const [first, end, step] = [start!.data[0], limit!.data[0], delta!.data[0]];
    const result = emptyDense(start!.type, [countOf(first, end, step)], precision);
    for (let i = 0; i < result.data.length; i++) result.data[i] = first + i * step;
    return [result];
  },
  cost: elementCost,
};

function countOf(start: number, limit: number, delta: number): number {
  return Math.max(0, Math.ceil((limit - start) / delta));
}

function scalar(context: InferContext, index: number): Dim | undefined {
  const tensor = context.constant(index);
  return tensor ? toDense(tensor, 'float64').data[0] : context.partial(index)?.[0];
}
