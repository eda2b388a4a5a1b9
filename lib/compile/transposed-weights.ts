import { type ChannelWeights, type ConstantSource, eightBitWeights } from './constants';
import { Unsupported } from './unsupported';

/**
 * int8 weights [C, M/g, ...] of a transposed convolution as they lie, with scale, zero point and sum of |w - zw| for each of
 * its `outputs` M; `inputs` is C/g. ONNX has one scale for all, one for each of the M/g filters of every group, or one for each
 * input channel: the latter only means something here where an output reads but one.
 * @throws Unsupported with the reason when the integer kernels cannot take them: then the layer stays float
 */
export function transposedWeights(
  source: ConstantSource,
  value: string,
  inputs: number,
  outputs: number,
): ChannelWeights {
  const { values, scales, zeroPoints, axis, dims } = eightBitWeights(source, value);
  const [channels, filters] = dims;
  const groups = outputs / filters;
  if (scales.length !== 1 && axis !== 1 && !(axis === 0 && inputs === 1))
    throw new Unsupported(`its weights have scales along axis ${axis}, its outputs lie along axis 1`);
  if (scales.length !== 1 && scales.length !== dims[axis])
    throw new Unsupported(`its weights have ${scales.length} scales for ${dims[axis]} outputs`);
  const scaleOf = (output: number): number =>
    scales.length === 1 ? 0 : axis === 1 ? output % filters : Math.floor(output / filters);
  const all = Array.from({ length: outputs }, (_, output) => scaleOf(output));
  const zeros = Int32Array.from(all, (at) => zeroPoints[zeroPoints.length === 1 ? 0 : at]);
  const sums = new Float64Array(outputs);
  const places = values.length / (channels * filters);
  for (let channel = 0, next = 0; channel < channels; channel++)
    for (let filter = 0; filter < filters; filter++) {
      const output = Math.floor(channel / (channels / groups)) * filters + filter;
      for (let place = 0; place < places; place++) sums[output] += Math.abs(values[next++] - zeros[output]);
    }
  return { values, scales: Float32Array.from(all, (at) => scales[at]), zeroPoints: zeros, sums };
}
