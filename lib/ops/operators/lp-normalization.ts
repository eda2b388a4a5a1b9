import { attribute } from '../../ir/attribute';
import { elementCount } from '../../ir/tensor';
import { normalizeAxis } from '../axes';
import { elementCost } from '../cost';
import { emptyLike } from '../dense';
import type { Operator } from '../operator';
import { FLOATS, problem, required } from '../schema';

/** ONNX LpNormalization-1: elements along an axis divided by their L1 or L2 norm; 0 where that is 0. */
export const lpNormalization: Operator = {
  op: 'LpNormalization',
  domain: '',
  since: 1,
  schema: {
    inputs: [required('input', FLOATS)],
    outputs: [required('output', FLOATS)],
    attributes: { axis: { kind: 'int' }, p: { kind: 'int' } },
  },
  infer: ({ node, inputs: [x] }) => {
    const [axis, p] = [attribute(node, 'axis', 'int', -1), attribute(node, 'p', 'int', 2)];
    if (x!.shape && normalizeAxis(axis, x!.shape.length) === undefined)
      return problem(node, 'bad-axis', `axis ${axis} is not one of [${x!.shape}]`);
    if (p !== 1 && p !== 2) return problem(node, 'bad-attribute', `expected p of 1 or 2, found ${p}`);
    return [{ type: x!.type, shape: x!.shape }];
  },
  evaluate: ([x], node) => {
    const axis = normalizeAxis(attribute(node, 'axis', 'int', -1), x!.dims.length)!;
    const squared = attribute(node, 'p', 'int', 2) === 2;
    const [extent, inner] = [x!.dims[axis], elementCount(x!.dims.slice(axis + 1))];
    const y = emptyLike(x!, x!.dims);
    for (let line = 0; line < y.data.length / extent; line++) {
      const start = Math.floor(line / inner) * extent * inner + (line % inner);
      let sum = 0;
      for (let k = 0; k < extent; k++)
        sum += squared ? x!.data[start + k * inner] ** 2 : Math.abs(x!.data[start + k * inner]);
      const norm = squared ? Math.sqrt(sum) : sum;
      for (let k = 0; k < extent; k++) y.data[start + k * inner] = norm === 0 ? 0 : x!.data[start + k * inner] / norm;
    }
    return [y];
  },
  cost: (inputs, outputs, node) => elementCost(inputs, outputs, node, 3),
  quantization: { inputs: [{ role: 'none' }], output: 'float' },
  lower: ({ node, inputs: [x] }) => {
    const axis = x?.shape && normalizeAxis(attribute(node, 'axis', 'int', -1), x.shape.length);
    if (axis === undefined) return problem(node, 'symbolic-shape', 'expected a known rank');
    const isSquared = attribute(node, 'p', 'int', 2) === 2;
    // Squares of what lies below 2^-75 are 0 in float32: a smaller divisor would make numbers far above 1 of such elements.
    const least = isSquared ? 2 ** -74 : 2 ** -149;
    return { kernel: 'relative', axes: [axis], reduction: isSquared ? 'l2' : 'l1', least, operation: 'divide' };
  },
};
