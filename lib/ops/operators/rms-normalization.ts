import { attribute } from '../../ir/attribute';
import { normalizeAxis } from '../axes';
import { broadcastOffsets } from '../broadcast';
import { elementCost } from '../cost';
import type { Operator } from '../operator';
import { FLOATS, problem, required } from '../schema';
import { checkFactors, deviation, lowerNormalization, standardize } from '../standardize';

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
  infer: ({ node, inputs: [x, scale] }) => {
    const { type, shape } = x!;
    const axis = attribute(node, 'axis', 'int', -1);
    if (shape && normalizeAxis(axis, shape.length) === undefined)
      return problem(node, 'bad-axis', `axis ${axis} is not one of [${shape}]`);
    return checkFactors(node, shape, [scale]) ?? [{ type, shape }];
  },
  evaluate: ([x, scale], node) => {
    const axis = normalizeAxis(attribute(node, 'axis', 'int', -1), x!.dims.length)!;
    const axes = x!.dims.map((_, at) => at).slice(axis);
    const y = standardize(x!, { axes, centered: false, divisor: deviation(attribute(node, 'epsilon', 'float', 1e-5)) });
    const scaleAt = broadcastOffsets(scale!.dims, x!.dims);
    for (let i = 0; i < y.data.length; i++) y.data[i] *= scale!.data[scaleAt[i]];
    return [y];
  },
  cost: (inputs, outputs, node) => elementCost(inputs, outputs, node, 4),
  quantization: { inputs: [{ role: 'none' }, { role: 'none' }], output: 'float' },
  lower: (context) => lowerNormalization(context, false),
};
