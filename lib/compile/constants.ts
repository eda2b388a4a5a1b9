import { attribute } from '../ir/attribute';
import type { ElementType } from '../ir/element-type';
import type { Node } from '../ir/graph';
import { elementCount, type Tensor, viewAs } from '../ir/tensor';
import { toDense } from '../ops/dense';
import { dequantizeLinear } from '../ops/operators/dequantize-linear';

/** Where constants come from: the part of a network that this file needs. */
export interface ConstantSource {
  producer(value: string): Node | undefined;
  initializer(value: string): Tensor | undefined;
}

/** A constant as integers with scales: `real[i] = (values[i] - zeroPoint) * scale`, per tensor or along `axis`. */
export interface QuantizedConstant {
  /** Elements as numbers (int8, uint8 or int32 range), row-major; may be the constant itself. */
  readonly values: ArrayLike<number>;
  readonly dims: readonly number[];
  readonly type: ElementType;
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
  /** Axis of the scales when there is more than one. */
  readonly axis: number;
}

/** A constant of float32 elements, row-major. */
export interface FloatConstant {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** int8 weights of a layer with one scale and zero point per output channel. */
export interface ChannelWeights {
  readonly values: Int8Array;
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
}

/** The integers behind `DequantizeLinear(initializer)`; undefined for anything else, and for scales per block. */
export function quantizedConstant(source: ConstantSource, value: string): QuantizedConstant | undefined {
  const node = source.producer(value);
  if (node?.op !== 'DequantizeLinear' || attribute(node, 'block_size', 'int', 0) !== 0) return undefined;
  const [integers, scale, zeroPoint] = node.inputs.map((name) => source.initializer(name));
  if (integers === undefined || scale?.type !== 'float32') return undefined;
  if (node.inputs[2] && zeroPoint === undefined) return undefined;
  const axis = attribute(node, 'axis', 'int', 1);
  const scales = Array.from(viewAs(scale, 'float32'));
  return {
    values: elementsOf(integers),
    dims: integers.dims,
    type: integers.type,
    scales,
    zeroPoints: zeroPoint ? Array.from(elementsOf(zeroPoint)) : scales.map(() => 0),
    axis: axis < 0 ? axis + integers.dims.length : axis,
  };
}

/** Elements without a copy where their type has a view of plain numbers. */
function elementsOf(tensor: Tensor): ArrayLike<number> {
  const { type } = tensor;
  return type === 'int8' || type === 'uint8' || type === 'int32'
    ? viewAs(tensor, type)
    : toDense(tensor, 'float64').data;
}

/** The float32 elements of an initializer, or of a dequantized one in any of its forms. */
export function floatConstant(source: ConstantSource, value: string): FloatConstant | undefined {
  const initializer = source.initializer(value);
  if (initializer !== undefined)
    return initializer.type === 'float32'
      ? { dims: initializer.dims, data: viewAs(initializer, 'float32') }
      : undefined;
  const node = source.producer(value);
  if (node?.op !== 'DequantizeLinear') return undefined;
  const inputs = node.inputs.map((name) => source.initializer(name));
  if (inputs.includes(undefined) || inputs[1]?.type !== 'float32') return undefined;
  const dense = inputs.map((tensor) => toDense(tensor!, 'float32'));
  const [{ dims, data }] = dequantizeLinear.evaluate!(dense, node, 'float32');
  return { dims, data: data as Float32Array };
}

/** Extents of a value that `floatConstant` would find, without making it. */
export function constantExtents(source: ConstantSource, value: string): readonly number[] | undefined {
  const initializer = source.initializer(value);
  if (initializer !== undefined) return initializer.type === 'float32' ? initializer.dims : undefined;
  const node = source.producer(value);
  if (node?.op !== 'DequantizeLinear') return undefined;
  const inputs = node.inputs.map((name) => source.initializer(name));
  return inputs.includes(undefined) || inputs[1]?.type !== 'float32' ? undefined : inputs[0]!.dims;
}

/** Elements of an int8 or uint8 constant in canonical int8, with its zero points shifted alike; undefined for other types. */
export function canonicalIntegers(
  constant: QuantizedConstant,
): { values: Int8Array; zeroPoints: readonly number[] } | undefined {
  if (constant.type !== 'int8' && constant.type !== 'uint8') return undefined;
  const shift = constant.type === 'uint8' ? 128 : 0;
  const values = new Int8Array(constant.values.length);
  for (let index = 0; index < values.length; index++) values[index] = constant.values[index] - shift;
  return {
    values,
    zeroPoints: constant.zeroPoints.map((zeroPoint) => zeroPoint - shift),
  };
}

/**
 * int8 weights with a positive scale for each of the `outputs` channels along `axis`; undefined when the integer kernels
 * cannot take them (other types, scales along another axis or per block): then the layer stays float.
 */
export function channelWeights(
  source: ConstantSource,
  value: string,
  axis: number,
  outputs: number,
): ChannelWeights | undefined {
  const constant = quantizedConstant(source, value);
  const canonical = constant && canonicalIntegers(constant);
  if (canonical === undefined || !constant!.scales.every((scale) => scale > 0 && Number.isFinite(scale)))
    return undefined;
  const { scales } = constant!;
  if (scales.length !== 1 && (constant!.axis !== axis || scales.length !== outputs)) return undefined;
  const spread = (values: readonly number[]): readonly number[] =>
    values.length === 1 ? new Array<number>(outputs).fill(values[0]) : values;
  return { values: canonical.values, scales: spread(scales), zeroPoints: spread(canonical.zeroPoints) };
}

/** Whether extents are those of one number per column of the last axis, or of one number for all. */
export function isPerColumn(dims: readonly number[], columns: number): boolean {
  const count = elementCount(dims);
  return count === 1 || (count === columns && dims.at(-1) === columns);
}
