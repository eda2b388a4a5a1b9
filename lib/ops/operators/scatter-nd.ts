import { elementCount } from '../../ir/tensor';
import { indexOutside, normalizeAxis } from '../axes';
import { elementCost } from '../cost';
import type { Operator } from '../operator';
import { scatterCombination, scatterGradient, scatterReduction } from '../scatter';
import { EVERY_TYPE, oneOf, problem, required, typedAs } from '../schema';
import { rowMajorStrides } from '../strides';

/** `data` with the slices at index tuples (last axis of `indices`) replaced by (or combined with) `updates`. */
export const scatterND: Operator = {
  op: 'ScatterND',
  domain: '',
  since: 18,
  schema: {
    inputs: [
      required('data', EVERY_TYPE),
      required('indices', ['int64']),
      typedAs(required('updates', EVERY_TYPE), 'data'),
    ],
    outputs: [required('output', EVERY_TYPE)],
    attributes: { reduction: oneOf('none', 'add', 'mul', 'max', 'min') },
  },
  infer: ({ node, inputs: [data, indices], constant }) => {
    const { type, shape } = data!;
    const tuple = indices!.shape?.at(-1);
    if (shape && typeof tuple === 'number') {
      if (tuple > shape.length)
        return problem(node, 'shape-mismatch', `tuples of ${tuple} indices do not fit data [${shape}]`);
      const outside = indexOutside(constant(1), shape.slice(0, tuple));
      if (outside) return problem(node, 'bad-index', outside);
    }
    return [{ type, shape }];
  },
  evaluate: ([data, indices, updates], node) => {
    const combine = scatterReduction(node);
    const tuple = indices!.dims[indices!.dims.length - 1];
    const inner = elementCount(data!.dims.slice(tuple));
    const strides = rowMajorStrides(data!.dims);
    const result = { ...data!, data: data!.data.slice() };
    for (let i = 0; i < elementCount(indices!.dims.slice(0, -1)); i++) {
      let start = 0;
      for (let k = 0; k < tuple; k++) {
        const index = normalizeAxis(indices!.data[i * tuple + k], data!.dims[k]);
        if (index === undefined) throw new RangeError(`${node.name}: index is out of range`);
        start += index * strides[k];
      }
      for (let k = 0; k < inner; k++)
        result.data[start + k] = combine(result.data[start + k], updates!.data[i * inner + k]);
    }
    return [result];
  },
  gradient: (context) => scatterGradient(context, 'GatherND'),
  cost: elementCost,
  lower: ({ node }) => ({ kernel: 'scatter-nd', combination: scatterCombination(node) }),
};
