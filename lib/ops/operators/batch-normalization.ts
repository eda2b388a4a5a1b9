import { attribute } from '../../ir/attribute';
import type { Node } from '../../ir/graph';
import { elementCount } from '../../ir/tensor';
import { elementCost } from '../cost';
import { channelNormalization } from '../coupling-layers';
import { emptyLike } from '../dense';
import { batchNormLayer } from '../layer-facets';
import { batchNormalizationGradient } from '../normalization-gradient';
import type { Dense, Operator } from '../operator';
import { FLOATS, optional, problem, required } from '../schema';
import { withoutAttributes } from '../upgrade-steps';

/**
 * ONNX BatchNormalization-15 over `[N, C, ...]`: `scale * (x - mean) / sqrt(var + epsilon) + B` per channel. With
 * training_mode=1 mean and (population) variance are those of the batch, and the running ones are outputs.
 */
export const batchNormalization: Operator = {
  op: 'BatchNormalization',
  domain: '',
  since: 15,
  schema: {
    inputs: ['X', 'scale', 'B', 'input_mean', 'input_var'].map((name) => required(name, FLOATS)),
    outputs: [required('Y', FLOATS), optional('running_mean', FLOATS), optional('running_var', FLOATS)],
    attributes: { epsilon: { kind: 'float' }, momentum: { kind: 'float' }, training_mode: { kind: 'int' } },
  },
  upgrade: (node, from) => {
    if (from < 9 && attribute(node, 'spatial', 'int', 1) === 0)
      return problem(node, 'upgrade', 'spatial=0 (statistics per position) has no newer form');
    if (from < 14 && node.outputs.slice(1).some((output) => output !== ''))
      return problem(node, 'upgrade', 'the training outputs of opsets below 14 have no newer form');
    return [{ ...withoutAttributes(node, 'spatial'), outputs: node.outputs.slice(0, from < 14 ? 1 : 3) }];
  },
  infer: ({ node, inputs: [x, ...parameters] }) => {
    const channels = x!.shape?.[1];
    if (x!.shape && x!.shape.length < 2)
      return problem(node, 'shape-mismatch', `expected an input of rank >= 2, found [${x!.shape}]`);
    for (const parameter of parameters)
      if (typeof channels === 'number' && parameter?.shape && parameter.shape.join() !== String(channels))
        return problem(node, 'shape-mismatch', `expected parameters [${channels}], found [${parameter.shape}]`);
    const mean = parameters[2]!;
    const statistics = { type: mean.type, shape: mean.shape ?? (channels === undefined ? undefined : [channels]) };
    return [{ type: x!.type, shape: x!.shape }, statistics, statistics];
  },
  evaluate: (inputs, node) => {
    const [x, scale, bias, mean, variance] = inputs as readonly Dense[];
    const epsilon = attribute(node, 'epsilon', 'float', 1e-5);
    const training = attribute(node, 'training_mode', 'int', 0) !== 0;
    const used = training ? batchStatistics(x) : [mean.data, variance.data];
    const y = emptyLike(x, x.dims);
    const [channels, plane] = [x.dims[1], elementCount(x.dims.slice(2))];
    for (let i = 0; i < y.data.length; i++) {
      const c = Math.floor(i / plane) % channels;
      y.data[i] = (scale.data[c] * (x.data[i] - used[0][c])) / Math.sqrt(used[1][c] + epsilon) + bias.data[c];
    }
    if (!training) return [y];
    return [y, running(mean, used[0], node), running(variance, used[1], node)];
  },
  gradient: batchNormalizationGradient,
  coupling: channelNormalization,
  layer: batchNormLayer,
  cost: elementCost,
  quantization: {
    inputs: [{ role: 'none' }, { role: 'none' }, { role: 'none' }, { role: 'none' }, { role: 'none' }],
    output: 'float',
  },
  lower: ({ node }) => {
    if (attribute(node, 'training_mode', 'int', 0) !== 0)
      return problem(node, 'not-lowered', 'the engine has no statistics of batches');
    return { kernel: 'batch-norm', epsilon: attribute(node, 'epsilon', 'float', 1e-5) };
  },
};

/** Mean and population variance of each channel of `[N, C, ...]`. */
function batchStatistics(x: Dense): [Float64Array, Float64Array] {
  const [channels, plane] = [x.dims[1], elementCount(x.dims.slice(2))];
  const count = x.data.length / channels;
  const [mean, variance] = [new Float64Array(channels), new Float64Array(channels)];
  const channelOf = (i: number) => Math.floor(i / plane) % channels;
  for (let i = 0; i < x.data.length; i++) mean[channelOf(i)] += x.data[i] / count;
  for (let i = 0; i < x.data.length; i++) variance[channelOf(i)] += (x.data[i] - mean[channelOf(i)]) ** 2 / count;
  return [mean, variance];
}

/** Old statistics moved towards those of the batch. */
function running(old: Dense, batch: ArrayLike<number>, node: Node): Dense {
  const momentum = attribute(node, 'momentum', 'float', 0.9);
  const updated = emptyLike(old, old.dims);
  for (let c = 0; c < batch.length; c++) updated.data[c] = old.data[c] * momentum + batch[c] * (1 - momentum);
  return updated;
}
