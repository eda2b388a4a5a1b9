import type { Diagnostic } from '../../core/diagnostic';
import { attribute } from '../../ir/attribute';
import type { Node } from '../../ir/graph';
import { elementCount, tensorFrom } from '../../ir/tensor';
import { elementCost } from '../cost';
import type { Operator, UpgradeEmitter } from '../operator';
import { FLOATS, problem, required } from '../schema';
import { deviation, scaleChannels, standardize } from '../standardize';

/** ONNX GroupNormalization-21: groups of neighbouring channels are brought to mean 0 and variance 1, then scaled and shifted. */
export const groupNormalization: Operator = {
  op: 'GroupNormalization',
  domain: '',
  since: 21,
  schema: {
    inputs: [required('X', FLOATS), required('scale', FLOATS), required('bias', FLOATS)],
    outputs: [required('Y', FLOATS)],
    attributes: {
      num_groups: { kind: 'int', required: true },
      epsilon: { kind: 'float' },
      stash_type: { kind: 'int' },
    },
  },
  upgrade: factorsPerChannel,
  infer: ({ node, inputs: [x, ...factors] }) => {
    const { type, shape } = x!;
    if (!shape) return [{ type, shape }];
    const groups = attribute(node, 'num_groups', 'int', 1);
    const channels = shape[1];
    if (shape.length < 2 || groups < 1 || (typeof channels === 'number' && channels % groups !== 0))
      return problem(node, 'shape-mismatch', `[${shape}] has no ${groups} groups of channels`);
    const wrong = factors.find(
      (factor) => typeof channels === 'number' && factor?.shape && factor.shape.join() !== `${channels}`,
    );
    if (wrong) return problem(node, 'shape-mismatch', `expected factors [${channels}], found [${wrong.shape}]`);
    return [{ type, shape }];
  },
  evaluate: ([x, scale, bias], node) => {
    const groups = attribute(node, 'num_groups', 'int', 1);
    const dims = [x!.dims[0], groups, elementCount(x!.dims.slice(1)) / groups];
    const divisor = deviation(attribute(node, 'epsilon', 'float', 1e-5));
    return [scaleChannels(standardize(x!, { dims, axes: [2], centered: true, divisor }), scale!, bias!)];
  },
  cost: (inputs, outputs, node) => elementCost(inputs, outputs, node, 6),
  quantization: { inputs: [{ role: 'none' }, { role: 'none' }, { role: 'none' }], output: 'float' },
  lower: ({ node }) => ({
    kernel: 'normalize',
    groups: attribute(node, 'num_groups', 'int', 1),
    centered: true,
    epsilon: attribute(node, 'epsilon', 'float', 1e-5),
    factors: 'channels',
  }),
};

/** Below opset 21 there was one scale and one bias for each group: each is repeated for the channels of its group. */
function factorsPerChannel(node: Node, _from: number, emit: UpgradeEmitter): readonly Node[] | Diagnostic {
  const channels = emit.typeOf(node.inputs[0])?.shape?.[1];
  if (typeof channels !== 'number')
    return problem(node, 'upgrade', 'expected a known number of channels, as its factors are one per group');
  const groups = attribute(node, 'num_groups', 'int', 1);
  const size = channels / groups;
  if (groups < 1 || !Number.isInteger(size))
    return problem(node, 'upgrade', `${channels} channels are not ${groups} groups of equal size`);
  const vector = (...values: number[]) => emit.constant(tensorFrom('int64', [values.length], values));
  const nodes: Node[] = [];
  const add = (op: string, inputs: readonly string[]): string => {
    const output = emit.fresh(`${node.outputs[0]}_factors`);
    nodes.push({
      name: emit.fresh(`${node.name}_factors`),
      op,
      domain: '',
      inputs,
      outputs: [output],
      attributes: new Map(),
    });
    return output;
  };
  const repeated = node.inputs.slice(1).map((factors) => {
    const column = add('Reshape', [factors, vector(-1, 1)]);
    return add('Reshape', [add('Expand', [column, vector(1, size)]), vector(-1)]);
  });
  return [...nodes, { ...node, inputs: [node.inputs[0], ...repeated] }];
}
