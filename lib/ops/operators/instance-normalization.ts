import { attribute } from '../../ir/attribute';
import { elementCost } from '../cost';
import type { Operator } from '../operator';
import { FLOATS, problem, required } from '../schema';
import { deviation, scaleChannels, standardize } from '../standardize';

/** ONNX InstanceNormalization-6: every channel of every sample is brought to mean 0 and variance 1, then scaled and shifted. */
export const instanceNormalization: Operator = {
  op: 'InstanceNormalization',
  domain: '',
  since: 6,
  schema: {
    inputs: [required('input', FLOATS), required('scale', FLOATS), required('B', FLOATS)],
    outputs: [required('output', FLOATS)],
    attributes: { epsilon: { kind: 'float' } },
  },
  infer: ({ node, inputs: [x, ...factors] }) => {
    const { type, shape } = x!;
    if (shape && shape.length < 3)
      return problem(node, 'shape-mismatch', `expected an input of rank >= 3, found [${shape}]`);
    const wrong = factors.find(
      (factor) => typeof shape?.[1] === 'number' && factor?.shape && factor.shape.join() !== `${shape[1]}`,
    );
    if (wrong) return problem(node, 'shape-mismatch', `expected factors [${shape![1]}], found [${wrong.shape}]`);
    return [{ type, shape }];
  },
  evaluate: ([x, scale, bias], node) => {
    const axes = x!.dims.map((_, axis) => axis).slice(2);
    const divisor = deviation(attribute(node, 'epsilon', 'float', 1e-5));
    return [scaleChannels(standardize(x!, { axes, centered: true, divisor }), scale!, bias!)];
  },
  cost: (inputs, outputs, node) => elementCost(inputs, outputs, node, 6),
  quantization: { inputs: [{ role: 'none' }, { role: 'none' }, { role: 'none' }], output: 'float' },
  lower: ({ node, inputs: [x] }) => {
    const groups = x?.shape?.[1];
    if (typeof groups !== 'number') return problem(node, 'symbolic-shape', 'expected a known number of channels');
    const epsilon = attribute(node, 'epsilon', 'float', 1e-5);
    return { kernel: 'normalize', groups, centered: true, epsilon, factors: 'channels' };
  },
};
