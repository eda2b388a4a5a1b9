import { elementCount } from '../../ir/tensor';
import { unknownDim } from '../axes';
import { elementCost } from '../cost';
import { knownDims } from '../dims';
import type { Operator } from '../operator';
import { NUMBERS, problem, required } from '../schema';
import { rowMajorStrides } from '../strides';

/** ONNX NonZero-13: the places of the elements that are not 0, row-major, one column each. */
export const nonZero: Operator = {
  op: 'NonZero',
  domain: '',
  since: 13,
  schema: {
    inputs: [required('X', [...NUMBERS, 'bool'])],
    outputs: [required('Y', ['int64'])],
    attributes: {},
  },
  infer: ({ node, inputs: [x] }) => {
    const rank = x!.shape?.length;
    return [{ type: 'int64', shape: rank === undefined ? undefined : [rank, unknownDim(node.outputs[0], 1)] }];
  },
  evaluate: ([x]) => {
    const strides = rowMajorStrides(x!.dims);
    const places = [...x!.data.keys()].filter((i) => x!.data[i] !== 0);
    const data = x!.dims.flatMap((extent, axis) => places.map((place) => Math.floor(place / strides[axis]) % extent));
    return [{ type: 'int64', dims: [x!.dims.length, places.length], data: Float64Array.from(data) }];
  },
  counts: true,
  most: ({ inputs: [x] }) => {
    const dims = knownDims(x?.shape);
    return [dims && [dims.length, elementCount(dims)]];
  },
  cost: elementCost,
  lower: ({ node, inputs: [x] }) =>
    x?.shape?.length === 0 ? problem(node, 'not-lowered', 'a scalar has no axes') : { kernel: 'non-zero' },
};
