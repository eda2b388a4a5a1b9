import type { Node } from '../../ir/graph';
import { normalizeAxes } from '../axes';
import { elementCost } from '../cost';
import type { Operator } from '../operator';
import { FLOATS, problem, required } from '../schema';
import { standardize } from '../standardize';

/** What the deviation is never less than. */
const LEAST_DEVIATION = 1e-9;

/** ONNX MeanVarianceNormalization-13: the elements along some axes are brought to mean 0 and variance 1. */
export const meanVarianceNormalization: Operator = {
  op: 'MeanVarianceNormalization',
  domain: '',
  since: 13,
  schema: { inputs: [required('X', FLOATS)], outputs: [required('Y', FLOATS)], attributes: { axes: { kind: 'ints' } } },
  infer: ({ node, inputs: [x] }) => {
    const { type, shape } = x!;
    if (shape && axesOf(node, shape.length) === undefined)
      return problem(node, 'bad-axis', `axes do not fit shape [${shape}]`);
    return [{ type, shape }];
  },
  evaluate: ([x], node) => {
    const axes = axesOf(node, x!.dims.length)!;
    return [standardize(x!, { axes, centered: true, divisor: (square) => Math.sqrt(square) + LEAST_DEVIATION })];
  },
  cost: (inputs, outputs, node) => elementCost(inputs, outputs, node, 4),
  quantization: { inputs: [{ role: 'none' }], output: 'float' },
  lower: ({ node, inputs: [x] }) => {
    const axes = x?.shape && axesOf(node, x.shape.length);
    if (axes === undefined) return problem(node, 'symbolic-shape', 'expected a known rank');
    // The same where elements differ, and 0 where they do not.
    return { kernel: 'normalize', axes, centered: true, epsilon: LEAST_DEVIATION ** 2, factors: 'none' };
  },
};

/** Normalized axes, ascending; those of images unless given. */
function axesOf(node: Node, rank: number): readonly number[] | undefined {
  const given = node.attributes.get('axes');
  const axes = normalizeAxes(given?.kind === 'ints' ? given.value : [0, 2, 3], rank);
  return axes?.sort((a, b) => a - b);
}
