import { attribute } from '../../ir/attribute';
import type { Node } from '../../ir/graph';
import { elementCount } from '../../ir/tensor';
import { normalizeAxis, unknownDim } from '../axes';
import { elementCost } from '../cost';
import { emptyLike } from '../dense';
import { knownDims } from '../dims';
import type { Operator } from '../operator';
import { EVERY_TYPE, problem, required } from '../schema';

/** ONNX Compress-11: the slices along an axis whose condition is true; without an axis the elements. */
export const compressOperator: Operator = {
  op: 'Compress',
  domain: '',
  since: 11,
  schema: {
    inputs: [required('input', EVERY_TYPE), required('condition', ['bool'])],
    outputs: [required('output', EVERY_TYPE)],
    attributes: { axis: { kind: 'int' } },
  },
  infer: ({ node, inputs }) => {
    const [{ type, shape }, condition] = [inputs[0]!, inputs[1]!];
    if (condition.shape && condition.shape.length !== 1)
      return problem(node, 'shape-mismatch', `expected a condition of one axis, found [${condition.shape}]`);
    if (!node.attributes.has('axis')) return [{ type, shape: [unknownDim(node.outputs[0], 0)] }];
    if (!shape) return [{ type, shape }];
    const axis = axisOf(node, shape.length);
    if (axis === undefined) return problem(node, 'bad-axis', `axis does not fit shape [${shape}]`);
    return [{ type, shape: shape.map((dim, at) => (at === axis ? unknownDim(node.outputs[0], axis) : dim)) }];
  },
  evaluate: ([x, condition], node) => {
    const axis = axisOf(node, x!.dims.length);
    const dims = axis === undefined ? [x!.data.length] : x!.dims;
    const at = axis ?? 0;
    const places = [...condition!.data.keys()].filter((i) => condition!.data[i] !== 0 && i < dims[at]);
    const result = emptyLike(
      x!,
      dims.map((dim, i) => (i === at ? places.length : dim)),
    );
    const inner = elementCount(dims.slice(at + 1));
    let position = 0;
    for (let outer = 0; outer < elementCount(dims.slice(0, at)); outer++)
      for (const place of places)
        for (let i = 0; i < inner; i++) result.data[position++] = x!.data[(outer * dims[at] + place) * inner + i];
    return [result];
  },
  counts: true,
  most: ({ node, inputs: [x, condition] }) => {
    const [dims, length] = [knownDims(x?.shape), knownDims(condition?.shape)?.[0]];
    if (!dims || length === undefined) return [undefined];
    const axis = axisOf(node, dims.length);
    if (axis === undefined) return [[Math.min(elementCount(dims), length)]];
    return [dims.map((dim, at) => (at === axis ? Math.min(dim, length) : dim))];
  },
  cost: elementCost,
  lower: ({ node, inputs: [x] }) =>
    x?.shape
      ? { kernel: 'compress', axis: axisOf(node, x.shape.length) }
      : problem(node, 'not-lowered', 'the rank is unknown'),
};

function axisOf(node: Node, rank: number): number | undefined {
  return node.attributes.has('axis') ? normalizeAxis(attribute(node, 'axis', 'int'), rank) : undefined;
}
