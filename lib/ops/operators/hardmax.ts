import { attribute } from '../../ir/attribute';
import { normalizeAxis } from '../axes';
import type { Operator } from '../operator';
import { problem } from '../schema';
import { softmaxOperator } from '../softmax-family';

/** ONNX Hardmax-13: 1 for the first of the largest elements along one axis, 0 for the others. */
export const hardmax: Operator = {
  ...softmaxOperator('Hardmax'),
  lower: ({ node, inputs: [x] }) => {
    const axis = x?.shape && normalizeAxis(attribute(node, 'axis', 'int', -1), x.shape.length);
    if (axis === undefined) return problem(node, 'symbolic-shape', 'expected a known rank');
    return { kernel: 'hardmax', axis };
  },
};
