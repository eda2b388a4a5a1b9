import { attribute } from '../../ir/attribute';
import type { Node } from '../../ir/graph';
import { noCost } from '../cost';
import { knownDims } from '../dims';
import type { Operator } from '../operator';
import { EVERY_TYPE, problem, required } from '../schema';

/** Extents `start` to `end` (negative: from the end, clamped) of the input's shape, as a vector. */
export const shape: Operator = {
  op: 'Shape',
  domain: '',
  since: 21,
  schema: {
    inputs: [required('data', EVERY_TYPE)],
    outputs: [required('shape', ['int64'])],
    attributes: { start: { kind: 'int' }, end: { kind: 'int' } },
  },
  infer: ({ node, inputs: [data] }) => {
    if (!data!.shape) return [{ type: 'int64', shape: undefined }];
    const partial = slice(data!.shape, node);
    return [{ type: 'int64', shape: [partial.length], partial }];
  },
  evaluate: ([data], node) => {
    const extents = Float64Array.from(slice(data!.dims, node));
    return [{ type: 'int64', dims: [extents.length], data: extents }];
  },
  cost: noCost,
  lower: ({ node, inputs: [data] }) => {
    const extents = knownDims(data?.shape);
    if (!extents) return problem(node, 'symbolic-shape', 'expected a known shape');
    return { kernel: 'extents', numbers: slice(extents, node) };
  },
};

/** Array.slice clamps and counts from the end exactly as ONNX does. */
function slice<T>(dims: readonly T[], node: Node): readonly T[] {
  return dims.slice(attribute(node, 'start', 'int', 0), attribute(node, 'end', 'int', dims.length));
}
