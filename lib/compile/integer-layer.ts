import { roundHalfToEven } from '../core/half';
import type { Node } from '../ir/graph';
import { type ChannelWeights, type ConstantSource, floatConstant, isPerColumn, quantizedConstant } from './constants';
import type { Program } from './program';
import type { Operand, Quantization } from './step';
import { Unsupported } from './unsupported';

/** Part of a step of the result that the rounding of a bias may move. */
const VISIBLE = 1 / 16;

/**
 * Float bias of a layer with one number per output: zeros when there is none.
 * @throws Unsupported when it is not constant or of another shape
 */
export function floatBias(source: ConstantSource, name: string, outputs: number): Float32Array {
  if (name === '') return new Float32Array(outputs);
  const constant = floatConstant(source, name);
  if (constant === undefined) throw new Unsupported(`the bias '${name}' is not constant`);
  if (!isPerColumn(constant.dims, outputs))
    throw new Unsupported(
      `the bias '${name}' is [${constant.dims}] (the engine adds one number per output, ${outputs})`,
    );
  return constant.data.length === outputs ? constant.data : new Float32Array(outputs).fill(constant.data[0]);
}

/**
 * int32 bias of a layer with scale xs*ws: taken as it stands when it is quantized with just that scale, else rounded from
 * its float value (by at most half a step of the accumulator, which must be next to nothing of a step of the result).
 * @throws Unsupported when it does not fit int32, and when rounding could be seen in the result
 */
export function integerBias(
  source: ConstantSource,
  name: string,
  inputScale: number,
  weightScales: ArrayLike<number>,
  outputScale: number,
): Int32Array {
  const floats = floatBias(source, name, weightScales.length);
  const scales = Array.from(weightScales, (scale) => Math.fround(inputScale * scale));
  const integers = quantizedConstant(source, name);
  if (
    integers?.type === 'int32' &&
    integers.values.length === scales.length &&
    integers.zeroPoints.every((zeroPoint) => zeroPoint === 0) &&
    scales.every((scale, channel) => scale === (integers.scales[channel] ?? integers.scales[0]))
  )
    return Int32Array.from(integers.values);
  return Int32Array.from(scales, (scale, channel) => {
    const rounded = floats[channel] === 0 ? 0 : roundHalfToEven(floats[channel] / scale);
    if (!(Math.abs(rounded) < 2 ** 31))
      throw new Unsupported(`bias '${name}'[${channel}] does not fit int32 at scale ${scale}`);
    if (Math.abs(floats[channel] - rounded * scale) > VISIBLE * outputScale)
      throw new Unsupported(`bias '${name}'[${channel}] is lost between the coarse steps of ${scale}`);
    return rounded;
  });
}

/** What the requantization of an integer layer needs. */
interface Requantization {
  readonly bias: Int32Array;
  /** Scales and zero points per output channel. */
  readonly weights: ChannelWeights;
  readonly input: Quantization;
  readonly output: Quantization;
}

/**
 * The operands bias, multiplier and weight zero points (left out when all are 0) of an integer layer, after the proof that
 * no accumulator leaves int32: |bias| + max|x - zx| * sum|w - zw| < 2^31 for every channel.
 */
export function requantizeOperands(program: Program, node: Node, layer: Requantization): (Operand | undefined)[] {
  const { bias, input, output } = layer;
  const { scales, zeroPoints, sums } = layer.weights;
  const reach = Math.max(127 - input.zeroPoint, input.zeroPoint + 128);
  for (let channel = 0; channel < bias.length; channel++) {
    const largest = Math.abs(bias[channel]) + reach * sums[channel];
    if (largest >= 2 ** 31)
      throw new Unsupported(`the accumulator of output channel ${channel} can reach ${largest}, beyond int32`);
  }
  const multipliers = Float32Array.from(scales, (scale) => Math.fround(input.scale * scale) / output.scale);
  const wrong = multipliers.findIndex((multiplier) => !(multiplier > 0) || !Number.isFinite(multiplier));
  if (wrong !== -1)
    throw new Unsupported(
      `output channel ${wrong}: ${input.scale} * ${scales[wrong]} / ${output.scale} is no positive float32`,
    );
  const count = [bias.length];
  return [
    program.constant(`${node.name}:bias`, 'int32', count, bias),
    program.constant(`${node.name}:multiplier`, 'float32', count, multipliers),
    zeroPoints.every((zeroPoint) => zeroPoint === 0)
      ? undefined
      : program.constant(`${node.name}:zero-points`, 'int8', count, Int8Array.from(zeroPoints)),
  ];
}
