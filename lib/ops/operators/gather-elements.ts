import { attribute } from '../../ir/attribute';
import { indexOutside, normalizeAxis } from '../axes';
import { elementCost } from '../cost';
import { emptyLike } from '../dense';
import { dimsOf, zerosOf } from '../gradients';
import type { Operator } from '../operator';
import { EVERY_TYPE, INDEX_TYPES, problem, required } from '../schema';
import { offsetsOf, rowMajorStrides } from '../strides';

/** For each element of `indices`: the element of `data` at its place, with the position along `axis` replaced by the index. */
export const gatherElements: Operator = {
  op: 'GatherElements',
  domain: '',
  since: 13,
  schema: {
    inputs: [required('data', EVERY_TYPE), required('indices', INDEX_TYPES)],
    outputs: [required('output', EVERY_TYPE)],
    attributes: { axis: { kind: 'int' } },
  },
  infer: ({ node, inputs, constant }) => {
    const [{ type, shape: dataShape }, { shape }] = [inputs[0]!, inputs[1]!];
    const given = attribute(node, 'axis', 'int', 0);
    const axis = dataShape && normalizeAxis(given, dataShape.length);
    if (dataShape && axis === undefined)
      return problem(node, 'bad-axis', `axis ${given} does not fit shape [${dataShape}]`);
    const outside = indexOutside(constant(1), dataShape ? [dataShape[axis!]] : []);
    if (outside) return problem(node, 'bad-index', outside);
    if (dataShape && shape && dataShape.length !== shape.length)
      return problem(node, 'shape-mismatch', `data [${dataShape}] and indices [${shape}] differ in rank`);
    return [{ type, shape }];
  },
  evaluate: ([data, indices], node) => {
    const axis = normalizeAxis(attribute(node, 'axis', 'int', 0), data!.dims.length)!;
    const result = emptyLike(data!, indices!.dims);
    const strides = rowMajorStrides(data!.dims);
    const bases = offsetsOf(
      indices!.dims,
      strides.map((stride, at) => (at === axis ? 0 : stride)),
    );
    bases.forEach((base, i) => {
      const at = normalizeAxis(indices!.data[i], data!.dims[axis]);
      if (at === undefined) throw new RangeError(`${node.name}: index ${indices!.data[i]} is out of range`);
      result.data[i] = data!.data[base + at * strides[axis]];
    });
    return [result];
  },
  gradient: ({ node, emit, outputGradients }) => {
    const [data, indices] = node.inputs;
    const zero = zerosOf(emit, dimsOf(emit, data));
    const axis = attribute(node, 'axis', 'int', 0);
    return [emit.node('ScatterElements', [zero, indices, outputGradients[0]!], { axis, reduction: 'add' })];
  },
  cost: elementCost,
  lower: ({ node, inputs }) => ({
    kernel: 'gather-elements',
    axis: normalizeAxis(attribute(node, 'axis', 'int', 0), inputs[0]!.shape!.length)!,
  }),
};
