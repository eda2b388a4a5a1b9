import { attribute } from '../../ir/attribute';
import { elementCount } from '../../ir/tensor';
import { normalizeAxis } from '../axes';
import { broadcastOffsets } from '../broadcast';
import { elementCost } from '../cost';
import { layerNormalizationCoupling } from '../coupling-layers';
import { emptyDense, emptyLike } from '../dense';
import { scaleAndShift } from '../layer-facets';
import { layerNormalizationGradient } from '../normalization-gradient';
import type { Operator } from '../operator';
import { FLOATS, optional, problem, required } from '../schema';
import { checkFactors, lowerNormalization } from '../standardize';

/**
 * ONNX LayerNormalization-17: every sample's axes from `axis` on are brought to mean 0 and variance 1, then scaled and
 * shifted. Outputs `Mean` and `InvStdDev` keep the normalized axes with extent 1.
 */
export const layerNormalization: Operator = {
  op: 'LayerNormalization',
  domain: '',
  since: 17,
  schema: {
    inputs: [required('X', FLOATS), required('Scale', FLOATS), optional('B', FLOATS)],
    outputs: [required('Y', FLOATS), optional('Mean', FLOATS), optional('InvStdDev', FLOATS)],
    attributes: { axis: { kind: 'int' }, epsilon: { kind: 'float' }, stash_type: { kind: 'int' } },
  },
  infer: ({ node, inputs: [x, ...factors] }) => {
    const { type, shape } = x!;
    const given = attribute(node, 'axis', 'int', -1);
    const axis = shape && normalizeAxis(given, shape.length);
    if (shape && axis === undefined) return problem(node, 'bad-axis', `axis ${given} is not one of [${shape}]`);
    const wrong = checkFactors(node, shape, factors);
    if (wrong) return wrong;
    const statistics = { type: 'float32' as const, shape: shape?.map((dim, at) => (at < axis! ? dim : 1)) };
    return [{ type, shape }, statistics, statistics];
  },
  evaluate: ([x, scale, bias], node, precision) => {
    const axis = normalizeAxis(attribute(node, 'axis', 'int', -1), x!.dims.length)!;
    const epsilon = attribute(node, 'epsilon', 'float', 1e-5);
    const inner = x!.dims.slice(axis);
    const size = elementCount(inner);
    const statistics = x!.dims.map((dim, at) => (at < axis ? dim : 1));
    const y = emptyLike(x!, x!.dims);
    const [mean, inverse] = [
      emptyDense('float32', statistics, precision),
      emptyDense('float32', statistics, precision),
    ];
    const scaleAt = broadcastOffsets(scale!.dims, x!.dims);
    const biasAt = bias && broadcastOffsets(bias.dims, x!.dims);
    for (let row = 0; row < mean.data.length; row++) {
      const values = x!.data.subarray(row * size, (row + 1) * size);
      let [sum, squares] = [0, 0];
      for (const value of values) sum += value;
      const average = sum / size;
      for (const value of values) squares += (value - average) ** 2;
      const factor = 1 / Math.sqrt(squares / size + epsilon);
      [mean.data[row], inverse.data[row]] = [average, factor];
      for (let i = 0, at = row * size; i < size; i++, at++)
        y.data[at] = (values[i] - average) * factor * scale!.data[scaleAt[at]] + (biasAt ? bias.data[biasAt[at]] : 0);
    }
    return [y, mean, inverse];
  },
  gradient: layerNormalizationGradient,
  coupling: layerNormalizationCoupling,
  layer: scaleAndShift,
  cost: (inputs, outputs, node) => elementCost(inputs, outputs.slice(0, 1), node, 6),
  lower: (context) => lowerNormalization(context, true),
  quantization: { inputs: [{ role: 'none' }, { role: 'none' }, { role: 'none' }], output: 'float' },
};
