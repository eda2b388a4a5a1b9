import { attribute } from '../ir/attribute';
import type { ElementType } from '../ir/element-type';
import type { Node } from '../ir/graph';
import { elementCount, type Tensor, viewAs } from '../ir/tensor';
import { toDense } from '../ops/dense';
import { dequantizeLinear } from '../ops/operators/dequantize-linear';
import { scaleIndices } from '../ops/quantizer';
import { PLAN_TYPES, type PlanType } from '../plan/format';
import { Unsupported } from './unsupported';
import type { ScaledIntegers } from './weight-codes';

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
  readonly scales: Float32Array;
  readonly zeroPoints: Int32Array;
  /** Axis of the scales when there is more than one. */
  readonly axis: number;
  /** Extents of the scales. */
  readonly scaleDims: readonly number[];
  /** Elements along the axis that have a scale together; 0: one of its own for each index. */
  readonly block: number;
}

/** A constant of float32 elements, row-major. */
export interface FloatConstant {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** int8 weights of a layer with one scale and zero point per output channel. */
export interface ChannelWeights {
  readonly values: Int8Array;
  readonly scales: Float32Array;
  readonly zeroPoints: Int32Array;
  /** Sum of |w - zw| for every output channel. */
  readonly sums: Float64Array;
}

/** What has been computed of the constants of a source, once each. */
const KNOWN = new WeakMap<ConstantSource, Map<string, unknown>>();

/** What `make` returns, made once for each source and key. */
function once<T>(source: ConstantSource, key: string, make: () => T): T {
  const known = KNOWN.get(source) ?? new Map<string, unknown>();
  KNOWN.set(source, known);
  if (!known.has(key)) known.set(key, make());
  return known.get(key) as T;
}

/** The integers behind `DequantizeLinear(initializer)`; undefined for anything else, and for scales per block unless asked for. */
export function quantizedConstant(
  source: ConstantSource,
  value: string,
  scalesPer: 'axis' | 'block' = 'axis',
): QuantizedConstant | undefined {
  const node = source.producer(value);
  if (node?.op !== 'DequantizeLinear') return undefined;
  const block = attribute(node, 'block_size', 'int', 0);
  if (block !== 0 && scalesPer === 'axis') return undefined;
  const [integers, scale, zeroPoint] = node.inputs.map((name) => source.initializer(name));
  if (integers === undefined || scale?.type !== 'float32') return undefined;
  if (node.inputs[2] && zeroPoint === undefined) return undefined;
  const axis = attribute(node, 'axis', 'int', 1);
  const scales = viewAs(scale, 'float32');
  return {
    values: elementsOf(integers),
    dims: integers.dims,
    type: integers.type,
    scales,
    zeroPoints: zeroPoint ? Int32Array.from(elementsOf(zeroPoint)) : new Int32Array(scales.length),
    axis: axis < 0 ? axis + integers.dims.length : axis,
    scaleDims: scale.dims,
    block,
  };
}

/** Elements without a copy where their type has a view of plain numbers. */
function elementsOf(tensor: Tensor): ArrayLike<number> {
  const { type } = tensor;
  return type === 'int8' || type === 'uint8' || type === 'int32'
    ? viewAs(tensor, type)
    : toDense(tensor, 'float64').data;
}

/** The float32 elements of an initializer, or of a dequantized one in any of its forms. Do not write to them. */
export function floatConstant(source: ConstantSource, value: string): FloatConstant | undefined {
  return once(source, `float ${value}`, () => dequantized(source, value));
}

function dequantized(source: ConstantSource, value: string): FloatConstant | undefined {
  const initializer = source.initializer(value);
  if (initializer?.type === 'float32') return { dims: initializer.dims, data: viewAs(initializer, 'float32') };
  if (initializer !== undefined) return undefined;
  const node = source.producer(value);
  if (node?.op !== 'DequantizeLinear') return undefined;
  const inputs = node.inputs.map((name) => source.initializer(name));
  if (inputs.includes(undefined) || inputs[1]?.type !== 'float32') return undefined;
  const dense = inputs.map((tensor) => toDense(tensor!, 'float32'));
  const [{ dims, data }] = dequantizeLinear.evaluate!(dense, node, 'float32');
  return { dims, data: data as Float32Array };
}

/** A constant in the type that a plan holds it in, row-major. */
export interface PlainConstant {
  readonly type: PlanType;
  readonly dims: readonly number[];
  readonly data: ArrayBufferView;
}

/** A constant of any type that plans have: float32 for what a DequantizeLinear makes. */
export function plainConstant(source: ConstantSource, value: string): PlainConstant | undefined {
  const initializer = source.initializer(value);
  const type = PLAN_TYPES.find((name) => name === initializer?.type);
  if (initializer !== undefined && type !== undefined && type !== 'float32')
    return { type, dims: initializer.dims, data: initializer.bytes };
  const floats = floatConstant(source, value);
  return floats && { type: 'float32', ...floats };
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

/** Elements of a constant of 4 or 8 bits in canonical int8, with its zero points shifted alike; undefined for other types. */
export function canonicalIntegers(
  constant: QuantizedConstant,
): { values: Int8Array; zeroPoints: Int32Array } | undefined {
  const { type, values, zeroPoints } = constant;
  if (values instanceof Int8Array && type === 'int8') return { values, zeroPoints };
  const shift = SHIFTS.get(type);
  if (shift === undefined) return undefined;
  const shifted = new Int8Array(values.length);
  for (let index = 0; index < shifted.length; index++) shifted[index] = values[index] - shift;
  return { values: shifted, zeroPoints: zeroPoints.map((zeroPoint) => zeroPoint - shift) };
}

/** What makes types of up to 8 bits signed. */
const SHIFTS: ReadonlyMap<ElementType, number> = new Map([
  ['int8', 0],
  ['uint8', 128],
  ['int4', 0],
  ['uint4', 8],
]);

/**
 * The small integers behind a dequantized constant, which give its float elements times their scales; undefined for other constants.
 * `arrange` brings elements into the order of the plan.
 */
export function scaledIntegers(
  source: ConstantSource,
  value: string,
  arrange: <T extends Int8Array | Float32Array>(data: T, Type: new (length: number) => T) => T,
): ScaledIntegers | undefined {
  const constant = quantizedConstant(source, value, 'block');
  const canonical = constant && canonicalIntegers(constant);
  if (canonical === undefined) return undefined;
  const { scales, dims, axis, block } = constant!;
  const { zeroPoints } = canonical;
  // Places of scales as floats: every whole number up to 2^24 is one.
  if (scales.length > 2 ** 24 || zeroPoints.some((zeroPoint) => zeroPoint < -128 || zeroPoint > 127)) return undefined;
  const places = Float32Array.from(scaleIndices(dims, constant!.scaleDims, axis, block));
  const integers = arrange(canonical.values, Int8Array);
  return { integers, groups: arrange(places, Float32Array), scales, zeroPoints };
}

/**
 * int8 weights with a positive scale for each of the `outputs` channels along `axis` (the first axis, or the last one).
 * @throws Unsupported with the reason when the integer kernels cannot take them: then the layer stays float
 */
export function channelWeights(source: ConstantSource, value: string, axis: number, outputs: number): ChannelWeights {
  return once(source, `weights ${axis} ${value}`, () => makeWeights(source, value, axis, outputs));
}

function makeWeights(source: ConstantSource, value: string, axis: number, outputs: number): ChannelWeights {
  const { values, scales, zeroPoints: given, axis: found } = eightBitWeights(source, value);
  if (scales.length !== 1 && found !== axis)
    throw new Unsupported(`its weights have scales along axis ${found}, its outputs lie along axis ${axis}`);
  if (scales.length !== 1 && scales.length !== outputs)
    throw new Unsupported(`its weights have ${scales.length} scales for ${outputs} outputs`);
  const zeroPoints = spread(given, outputs);
  return { values, scales: spread(scales, outputs), zeroPoints, sums: channelSums(values, zeroPoints, axis) };
}

/**
 * Weights as canonical int8, with the scales and zero points that they have.
 * @throws Unsupported with the reason when they are no 8-bit constants with positive scales
 */
export function eightBitWeights(
  source: ConstantSource,
  value: string,
): Pick<QuantizedConstant, 'scales' | 'zeroPoints' | 'axis' | 'dims'> & { readonly values: Int8Array } {
  const constant = quantizedConstant(source, value);
  if (constant === undefined)
    throw new Unsupported(
      source.initializer(value) === undefined
        ? 'its weights are quantized per block, or with scales that are not constant'
        : 'its weights are float',
    );
  const canonical = canonicalIntegers(constant);
  if (canonical === undefined) throw new Unsupported(`its weights are ${constant.type}, int8 kernels take 4 or 8 bits`);
  if (!constant.scales.every((scale) => scale > 0 && Number.isFinite(scale)))
    throw new Unsupported('a scale of its weights is not positive and finite');
  return { ...constant, ...canonical };
}

/** One number for each output: those given, or the one for all. */
function spread<A extends Float32Array | Int32Array>(values: A, outputs: number): A {
  if (values.length !== 1) return values;
  return new (values.constructor as new (length: number) => A)(outputs).fill(values[0]) as A;
}

/** Sum of |w - zw| for every output channel, along the first axis or the last one. */
function channelSums(values: Int8Array, zeroPoints: Int32Array, axis: number): Float64Array {
  const outputs = zeroPoints.length;
  const sums = new Float64Array(outputs);
  const depth = values.length / outputs;
  const [perChannel, perElement] = axis === 0 ? [depth, 1] : [1, outputs];
  for (let k = 0; k < depth; k++)
    for (let channel = 0; channel < outputs; channel++)
      sums[channel] += Math.abs(values[channel * perChannel + k * perElement] - zeroPoints[channel]);
  return sums;
}

/** Whether extents are those of one number per column of the last axis, or of one number for all. */
export function isPerColumn(dims: readonly number[], columns: number): boolean {
  const count = elementCount(dims);
  return count === 1 || (count === columns && dims.at(-1) === columns);
}
