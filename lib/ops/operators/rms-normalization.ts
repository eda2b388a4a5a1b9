import { attribute } from '../../ir/attribute';
import { normalizeAxis } from '../axes';
import { broadcastOffsets } from '../broadcast';
import { elementCost } from '../cost';
import type { Operator } from '../operator';
import { FLOATS, problem, required } from '../schema';
import { deviation, standardize } from '../standardize';

/** ONNX RMSNormalization-23: every sample's axes from `axis` on are brought to a mean square of 1, then scaled. */
export const rmsNormalization: Operator = {
  op: 'RMSNormalization',
  domain: '',
  since: 23,
  schema: {
    inputs: [required('X', FLOATS), required('scale', FLOATS)],
    outputs: [required('Y', FLOATS)],
    attributes: { axis: { kind: 'int' }, epsilon: { kind: 'float' }, stash_type: { kind: 'int' } },
  },
  infer: ({ node, inputs: [x] }) => {
    const { type, shape } = x!;
    const axis = attribute(node, 'axis', 'int', -1);
    if (shape && normalizeAxis(axis, shape.length) === undefined)
      return problem(node, 'bad-axis', `axis ${axis} is not one of [${shape}]`);
    return [{ type, shape }];
  },
  evaluate: ([x, scale], node) => {
    const axis = normalizeAxis(attribute(node, 'axis', 'int', -1), x!.dims.length)!;
    const axes = x!.dims.map((_, at) => at).slice(axis);
    const y = standardize(x!, { axes, centered: false, divisor: deviation(attribute(node, 'epsilon', 'float', 1e-5)) });
    const scaleAt = broadcastOffsets(scale!.dims, x!.dims.slice(axis));
    for (let i = 0; i < y.data.length; i++) y.data[i] *= scale!.data[scaleAt[i % scaleAt.length]];
    return [y];
  },
  cost: (inputs, outputs, node) => elementCost(inputs, outputs, node, 4),
  quantization: { inputs: [{ role: 'none' }, { role: 'none' }], output: 'float' },
  lower: ({ node, inputs: [x] }) => {
    const rank = x?.shape?.length;
    const axis = rank && normalizeAxis(attribute(node, 'axis', 'int', -1), rank);
    if (axis === undefined) return problem(node, 'symbolic-shape', 'expected a known rank');
    const axes = x!.shape!.map((_, at) => at).slice(axis);
    const epsilon = attribute(node, 'epsilon', 'float', 1e-5);
    return { kernel: 'normalize', axes, centered: false, epsilon, factors: 'elements' };
  },
};
