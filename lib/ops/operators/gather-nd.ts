import { attribute } from '../../ir/attribute';
import { elementCount } from '../../ir/tensor';
import { indexOutside, normalizeAxis } from '../axes';
import { elementCost } from '../cost';
import { emptyLike } from '../dense';
import { gatherTuplesGradient } from '../gather-gradient';
import type { Operator } from '../operator';
import { EVERY_TYPE, problem, required } from '../schema';
import { rowMajorStrides } from '../strides';

/** Slices of `data` at index tuples, which lie along the last axis of `indices`; the first `batch_dims` axes go in step. */
export const gatherND: Operator = {
  op: 'GatherND',
  domain: '',
  since: 13,
  schema: {
    inputs: [required('data', EVERY_TYPE), required('indices', ['int64'])],
    outputs: [required('output', EVERY_TYPE)],
    attributes: { batch_dims: { kind: 'int' } },
  },
  infer: ({ node, inputs, constant }) => {
    const [{ type, shape }, { shape: at }] = [inputs[0]!, inputs[1]!];
    const tuple = at?.[at.length - 1];
    if (!shape || !at || typeof tuple !== 'number') return [{ type, shape: undefined }];
    const batch = attribute(node, 'batch_dims', 'int', 0);
    if (batch + tuple > shape.length)
      return problem(node, 'shape-mismatch', `tuples of ${tuple} indices do not fit data [${shape}]`);
    const outside = indexOutside(constant(1), shape.slice(batch, batch + tuple));
    if (outside) return problem(node, 'bad-index', outside);
    return [{ type, shape: [...at.slice(0, -1), ...shape.slice(batch + tuple)] }];
  },
  evaluate: ([data, indices], node) => {
    const batch = attribute(node, 'batch_dims', 'int', 0);
    const tuple = indices!.dims[indices!.dims.length - 1];
    const slice = data!.dims.slice(batch + tuple);
    const inner = elementCount(slice);
    const strides = rowMajorStrides(data!.dims);
    const batches = elementCount(data!.dims.slice(0, batch));
    const result = emptyLike(data!, [...indices!.dims.slice(0, -1), ...slice]);
    const perBatch = elementCount(indices!.dims.slice(batch, -1));
    for (let i = 0; i < batches * perBatch; i++) {
      let start = Math.floor(i / perBatch) * (data!.data.length / batches);
      for (let k = 0; k < tuple; k++) {
        const index = normalizeAxis(indices!.data[i * tuple + k], data!.dims[batch + k]);
        if (index === undefined) throw new RangeError(`${node.name}: index is out of range`);
        start += index * strides[batch + k];
      }
      for (let k = 0; k < inner; k++) result.data[i * inner + k] = data!.data[start + k];
    }
    return [result];
  },
  gradient: gatherTuplesGradient,
  cost: elementCost,
  lower: ({ node }) => ({ kernel: 'gather-nd', batchDims: attribute(node, 'batch_dims', 'int', 0) }),
};
