import { attribute } from '../../ir/attribute';
import { normalizeAxis } from '../axes';
import { elementCost } from '../cost';
import type { Operator } from '../operator';
import { scatterCombination, scatterGradient, scatterReduction } from '../scatter';
import { EVERY_TYPE, INDEX_TYPES, problem, required } from '../schema';
import { offsetsOf, rowMajorStrides } from '../strides';

/** `data` with the elements that GatherElements would read replaced by (or combined with) `updates`. */
export const scatterElements: Operator = {
  op: 'ScatterElements',
  domain: '',
  since: 18,
  schema: {
    inputs: [required('data', EVERY_TYPE), required('indices', INDEX_TYPES), required('updates', EVERY_TYPE)],
    outputs: [required('output', EVERY_TYPE)],
    attributes: { axis: { kind: 'int' }, reduction: { kind: 'string' } },
  },
  infer: ({ node, inputs: [data] }) => {
    const axis = attribute(node, 'axis', 'int', 0);
    if (data!.shape && normalizeAxis(axis, data!.shape.length) === undefined)
      return problem(node, 'bad-axis', `axis ${axis} does not fit shape [${data!.shape}]`);
    return [data!];
  },
  evaluate: ([data, indices, updates], node) => {
    const combine = scatterReduction(node);
    const axis = normalizeAxis(attribute(node, 'axis', 'int', 0), data!.dims.length)!;
    const result = { ...data!, data: data!.data.slice() };
    const strides = rowMajorStrides(data!.dims);
    const bases = offsetsOf(
      indices!.dims,
      strides.map((stride, at) => (at === axis ? 0 : stride)),
    );
    bases.forEach((base, i) => {
      const index = normalizeAxis(indices!.data[i], data!.dims[axis]);
      if (index === undefined) throw new RangeError(`${node.name}: index ${indices!.data[i]} is out of range`);
      const at = base + index * strides[axis];
      result.data[at] = combine(result.data[at], updates!.data[i]);
    });
    return [result];
  },
  gradient: (context) => scatterGradient(context, 'GatherElements'),
  cost: elementCost,
  lower: ({ node, inputs }) => ({
    kernel: 'scatter-elements',
    axis: normalizeAxis(attribute(node, 'axis', 'int', 0), inputs[0]!.shape!.length)!,
    combination: scatterCombination(node),
  }),
};
