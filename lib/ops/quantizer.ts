import { HoneError } from '../core/error';
import { roundHalfToEven } from '../core/half';
import { attribute } from '../ir/attribute';
import type { ElementType } from '../ir/element-type';
import type { Dim, Node } from '../ir/graph';
import { elementCount } from '../ir/tensor';
import { normalizeAxis } from './axes';
import type { InferContext } from './operator';

/** Types that QuantizeLinear can produce. */
export const QUANTIZED_TYPES = ['uint8', 'int8', 'uint16', 'int16', 'uint4', 'int4'] as const satisfies ElementType[];

const RANGES: Partial<Record<ElementType, readonly [low: number, high: number]>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65535],
  int16: [-32768, 32767],
  uint4: [0, 15],
  int4: [-8, 7],
  int32: [-(2 ** 31), 2 ** 31 - 1],
};

/** Smallest and largest number of an integer type. */
export function integerRange(type: ElementType): readonly [low: number, high: number] {
  const range = RANGES[type];
  if (!range) throw new HoneError('E_INTERNAL', { message: `${type} is not a quantized type` });
  return range;
}

/** `value + zeroPoint` with `value` rounded half to even and the sum saturated; NaN gives the lower bound. */
export function saturate(value: number, zeroPoint: number, type: ElementType): number {
  const [low, high] = integerRange(type);
  if (Number.isNaN(value)) return low;
  return Math.min(Math.max(roundHalfToEven(Math.min(Math.max(value, -(2 ** 40)), 2 ** 40)) + zeroPoint, low), high);
}

/**
 * For each element of `dims`, the index of its scale: one scale for all, one per index of `axis`, or (`block` > 0) one per
 * block of that many elements along `axis`.
 */
export function scaleIndices(
  dims: readonly number[],
  scale: readonly number[],
  axis: number,
  block: number,
): Int32Array {
  const indices = new Int32Array(elementCount(dims));
  forEachScale(dims, scale, axis, block, (index, start, end) => indices.fill(index, start, end));
  return indices;
}

/** Calls `visit` for neighbouring elements `start` to `end` (exclusive) with one scale, in order; see `scaleIndices`. */
export function forEachScale(
  dims: readonly number[],
  scale: readonly number[],
  axis: number,
  block: number,
  visit: (index: number, start: number, end: number) => void,
): void {
  const count = elementCount(dims);
  if (elementCount(scale) === 1) {
    visit(0, 0, count);
    return;
  }
  const at = normalizeAxis(axis, dims.length);
  if (at === undefined) throw new RangeError(`axis ${axis} is not one of [${dims}]`);
  const inner = elementCount(dims.slice(at + 1));
  const extent = dims[at];
  // With blocks every element beside the axis has scales of its own.
  const blocks = block > 0 ? scale[at] : 0;
  for (let start = 0, outer = 0; start < count; outer++)
    for (let position = 0; position < extent; position++) {
      if (blocks === 0) visit(position, start, start + inner);
      else {
        const first = (outer * blocks + Math.floor(position / block)) * inner;
        for (let i = 0; i < inner; i++) visit(first + i, start + i, start + i + 1);
      }
      start += inner;
    }
}

/** What is wrong with the scale (input 1) and zero point (input 2) of a quantizing node, or undefined. */
export function checkScales({ node, inputs: [x, scale, zeroPoint] }: InferContext): string | undefined {
  if (!x?.shape || !scale?.shape) return undefined;
  const block = attribute(node, 'block_size', 'int', 0);
  // One number may be written as a scalar or as a vector, and quantizers mix the two.
  const single = isSingle(scale.shape);
  if (zeroPoint?.shape && !sameShape(zeroPoint.shape, scale.shape) && !(single && isSingle(zeroPoint.shape)))
    return `the zero point [${zeroPoint.shape}] has another shape than the scale [${scale.shape}]`;
  if (single) return undefined;
  const given = attribute(node, 'axis', 'int', 1);
  const axis = normalizeAxis(given, x.shape.length);
  if (axis === undefined) return `axis ${given} is not one of [${x.shape}]`;
  if (block > 0) {
    const expected = x.shape.map((dim, at) => (at === axis && typeof dim === 'number' ? Math.ceil(dim / block) : dim));
    return sameShape(expected, scale.shape)
      ? undefined
      : `expected scales [${expected}] for blocks of ${block}, found [${scale.shape}]`;
  }
  if (scale.shape.length === 1 && sameShape([x.shape[axis]], scale.shape)) return undefined;
  return `expected one scale, or ${x.shape[axis]} along axis ${given} of [${x.shape}], found [${scale.shape}]`;
}

/**
 * What is wrong with the scales and zero points of an operator that computes on integers, or undefined: each is one number, or one
 * for each of `many` by the place of the scale among the inputs, its zero point behind it; the zero point has the type of the value
 * before it, except that of the output.
 */
export function checkIntegerGrids(
  { inputs }: InferContext,
  many: Readonly<Record<number, Dim | undefined>>,
): string | undefined {
  for (const place of [1, 4, 6]) {
    const [value, zeroPoint] = [inputs[place - 1], inputs[place + 1]];
    for (const shape of [inputs[place]?.shape, zeroPoint?.shape])
      if (shape && !isSingle(shape) && !(many[place] !== undefined && sameShape([many[place]], shape)))
        return `expected one scale and zero point${many[place] === undefined ? '' : ` or ${many[place]}`}, found [${shape}]`;
    if (place < 6 && value && zeroPoint && zeroPoint.type !== value.type)
      return `a zero point of ${zeroPoint.type} for elements of ${value.type}`;
  }
  return undefined;
}

/** Whether a scale or zero point is one number for the whole tensor: `[]` or `[1]`. */
function isSingle(shape: readonly Dim[]): boolean {
  return shape.length === 0 || (shape.length === 1 && shape[0] === 1);
}

function sameShape(a: readonly Dim[], b: readonly Dim[]): boolean {
  const fits = (m: Dim, n: Dim) => m === n || typeof m === 'string' || typeof n === 'string';
  return a.length === b.length && a.every((dim, axis) => fits(dim, b[axis]));
}

/** The `axis` and `block_size` attributes of a quantizing node. */
export function scaleLayout(node: Node): { axis: number; block: number } {
  return { axis: attribute(node, 'axis', 'int', 1), block: attribute(node, 'block_size', 'int', 0) };
}
