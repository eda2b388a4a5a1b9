import { elementCount } from '../../ir/tensor';
import { noCost } from '../cost';
import { knownDims, productOfDims } from '../dims';
import type { Operator } from '../operator';
import { EVERY_TYPE, problem, required } from '../schema';

/** Number of elements, as a scalar. */
export const size: Operator = {
  op: 'Size',
  domain: '',
  since: 21,
  schema: { inputs: [required('data', EVERY_TYPE)], outputs: [required('size', ['int64'])], attributes: {} },
  infer: ({ inputs: [data] }) => [
    { type: 'int64', shape: [], partial: data!.shape ? [productOfDims(data!.shape)] : undefined },
  ],
  evaluate: ([data]) => [{ type: 'int64', dims: [], data: Float64Array.of(data!.data.length) }],
  cost: noCost,
  lower: ({ node, inputs: [data] }) => {
    const extents = knownDims(data?.shape);
    if (!extents) return problem(node, 'symbolic-shape', 'expected a known shape');
    return { kernel: 'extents', numbers: [elementCount(extents)] };
  },
};
