import { attribute } from '../../ir/attribute';
import { elementCount, toNumbers } from '../../ir/tensor';
import { normalizeAxis } from '../axes';
import { elementCost } from '../cost';
import { emptyLike } from '../dense';
import type { Operator } from '../operator';
import { FLOATS, INDEX_TYPES, problem, required } from '../schema';

const TYPES = [...FLOATS, 'int32', 'int64', 'uint32', 'uint64'] as const;

/** Running sums along an axis: from the end when `reverse`, without the element itself when `exclusive`. */
export const cumSum: Operator = {
  op: 'CumSum',
  domain: '',
  since: 14,
  schema: {
    inputs: [required('x', TYPES), required('axis', INDEX_TYPES)],
    outputs: [required('y', TYPES)],
    attributes: { exclusive: { kind: 'int' }, reverse: { kind: 'int' } },
  },
  infer: ({ inputs: [x] }) => [{ type: x!.type, shape: x!.shape }],
  evaluate: ([x, axisInput], node) => {
    const { dims, data } = x!;
    const axis = normalizeAxis(axisInput!.data[0], dims.length);
    if (axis === undefined) throw new RangeError(`${node.name}: axis ${axisInput!.data[0]} does not fit [${dims}]`);
    const exclusive = attribute(node, 'exclusive', 'int', 0) !== 0;
    const reverse = attribute(node, 'reverse', 'int', 0) !== 0;
    const inner = elementCount(dims.slice(axis + 1));
    const result = emptyLike(x!, dims);
    for (let line = 0; line < data.length / dims[axis]; line++) {
      const start = Math.floor(line / inner) * dims[axis] * inner + (line % inner);
      let sum = 0;
      for (let k = 0; k < dims[axis]; k++) {
        const at = start + (reverse ? dims[axis] - 1 - k : k) * inner;
        result.data[at] = exclusive ? sum : sum + data[at];
        sum += data[at];
      }
    }
    return [result];
  },
  // An element is part of all sums from it on: the same sums in the other direction.
  gradient: ({ node, emit, outputGradients }) => [
    emit.node('CumSum', [outputGradients[0]!, node.inputs[1]], {
      exclusive: attribute(node, 'exclusive', 'int', 0),
      reverse: 1 - attribute(node, 'reverse', 'int', 0),
    }),
  ],
  cost: elementCost,
  lower: ({ node, inputs: [x], constant }) => {
    const given = constant(1);
    const axis = given && x?.shape && normalizeAxis(toNumbers(given)[0], x.shape.length);
    if (axis === undefined) return problem(node, 'not-lowered', 'expected a constant axis and a known rank');
    const [exclusive, reverse] = ['exclusive', 'reverse'].map((name) => attribute(node, name, 'int', 0) !== 0);
    return { kernel: 'cumulative-sum', axis, exclusive, reverse };
  },
};
