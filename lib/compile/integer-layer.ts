import type { Node } from '../ir/graph';
import { roundHalfToEven } from '../ops/half';
import { type Lowering, Unsupported } from './lowering';
import type { Operand, Quantization } from './step';

/** What the requantization of an integer layer needs, per output channel. */
interface Requantization {
  readonly bias: Int32Array;
  readonly scales: readonly number[];
  /** int8 zero points of the weights. */
  readonly zeroPoints: readonly number[];
  readonly input: Quantization;
  readonly output: Quantization;
  /** Weights of one output channel. */
  weightsOf(channel: number): Int8Array;
}

/**
 * int32 bias of a layer with scale xs*ws: taken as it stands when it is quantized with just that scale, else rounded from
 * its float value.
 */
export function integerBias(
  state: Lowering,
  name: string,
  inputScale: number,
  weightScales: readonly number[],
): Int32Array {
  const count = weightScales.length;
  if (name === '') return new Int32Array(count);
  const accumulatorScales = weightScales.map((scale) => Math.fround(inputScale * scale));
  const integers = state.quantizedConstant(name);
  if (
    integers?.type === 'int32' &&
    integers.values.length === count &&
    integers.zeroPoints.every((zeroPoint) => zeroPoint === 0) &&
    accumulatorScales.every((scale, channel) => scale === (integers.scales[channel] ?? integers.scales[0]))
  )
    return Int32Array.from(integers.values);
  const floats = state.floatConstant(name)?.data;
  if (floats === undefined) throw new Unsupported(`the bias '${name}' is not constant`);
  if (floats.length !== count && floats.length !== 1)
    throw new Unsupported(`the bias '${name}' has ${floats.length} elements for ${count} outputs`);
  return Int32Array.from(accumulatorScales, (scale, channel) => {
    const rounded = roundHalfToEven((floats[channel] ?? floats[0]) / scale);
    if (Math.abs(rounded) >= 2 ** 31)
      throw new Unsupported(`bias '${name}'[${channel}] does not fit int32 at scale ${scale}`);
    return rounded;
  });
}

/**
 * The operands bias, multiplier and weight zero points (left out when all are 0) of an integer layer, after the proof that
 * no accumulator leaves int32: |bias| + max|x - zx| * sum|w - zw| < 2^31 for every channel.
 */
export function requantizeOperands(state: Lowering, node: Node, layer: Requantization): (Operand | undefined)[] {
  const { bias, scales, zeroPoints, input, output } = layer;
  const reach = Math.max(127 - input.zeroPoint, input.zeroPoint + 128);
  for (let channel = 0; channel < bias.length; channel++) {
    const sum = layer.weightsOf(channel).reduce((total, weight) => total + Math.abs(weight - zeroPoints[channel]), 0);
    if (Math.abs(bias[channel]) + reach * sum >= 2 ** 31)
      throw new Unsupported(`the accumulator of output channel ${channel} can leave int32`);
  }
  const multipliers = Float32Array.from(scales, (scale) => Math.fround(input.scale * scale) / output.scale);
  const count = [bias.length];
  return [
    state.constant(`${node.name}:bias`, 'int32', count, bias),
    state.constant(`${node.name}:multiplier`, 'float32', count, multipliers),
    zeroPoints.every((zeroPoint) => zeroPoint === 0)
      ? undefined
      : state.constant(`${node.name}:zero-points`, 'int8', count, Int8Array.from(zeroPoints)),
  ];
}
