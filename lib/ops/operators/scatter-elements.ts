import { attribute } from '../../ir/attribute';
import { indexOutside, normalizeAxis } from '../axes';
import { elementCost } from '../cost';
import type { Operator } from '../operator';
import { scatterCombination, scatterGradient, scatterReduction } from '../scatter';
import { EVERY_TYPE, INDEX_TYPES, oneOf, problem, required, typedAs } from '../schema';
import { offsetsOf, rowMajorStrides } from '../strides';

/** `data` with the elements that GatherElements would read replaced by (or combined with) `updates`. */
export const scatterElements: Operator = {
  op: 'ScatterElements',
  domain: '',
  since: 18,
  schema: {
    inputs: [
      required('data', EVERY_TYPE),
      required('indices', INDEX_TYPES),
      typedAs(required('updates', EVERY_TYPE), 'data'),
    ],
    outputs: [required('output', EVERY_TYPE)],
    attributes: { axis: { kind: 'int' }, reduction: oneOf('none', 'add', 'mul', 'max', 'min') },
  },
  infer: ({ node, inputs: [data], constant }) => {
    const given = attribute(node, 'axis', 'int', 0);
    const { shape } = data!;
    const axis = shape && normalizeAxis(given, shape.length);
    if (shape && axis === undefined) return problem(node, 'bad-axis', `axis ${given} does not fit shape [${shape}]`);
    const outside = indexOutside(constant(1), shape ? [shape[axis!]] : []);
    if (outside) return problem(node, 'bad-index', outside);
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
