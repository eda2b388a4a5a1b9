import { attribute } from '../ir/attribute';
import type { ElementType } from '../ir/element-type';
import type { Dim, Node, ValueType } from '../ir/graph';
import { type Tensor, toNumbers } from '../ir/tensor';
import type { InferContext, Inferred } from './operator';

/** `axis` counted from the front, or undefined when it is not one of `rank` axes. */
export function normalizeAxis(axis: number, rank: number): number | undefined {
  const positive = axis < 0 ? axis + rank : axis;
  return Number.isInteger(positive) && positive >= 0 && positive < rank ? positive : undefined;
}

/**
 * The first of constant indices that are out of range, in words; undefined where all fit or are not known. `extents` are what one
 * after the other of the indices counts in, again and again; negative indices count from the end.
 */
export function indexOutside(indices: Tensor | undefined, extents: readonly (Dim | undefined)[]): string | undefined {
  const numbers = indices && extents.length > 0 ? toNumbers(indices) : [];
  const at = numbers.findIndex((index, place) => {
    const extent = extents[place % extents.length];
    return typeof extent === 'number' && normalizeAxis(index, extent) === undefined;
  });
  return at === -1 ? undefined : `index ${numbers[at]} is outside extent ${extents[at % extents.length]}`;
}

/** Axes counted from the front, in the given order, or undefined when one is out of range or named twice. */
export function normalizeAxes(axes: readonly number[], rank: number): number[] | undefined {
  const result: number[] = [];
  for (const axis of axes) {
    const positive = normalizeAxis(axis, rank);
    if (positive === undefined || result.includes(positive)) return undefined;
    result.push(positive);
  }
  return result;
}

/** All elements of integer input `index` as numbers, or undefined when one is unknown or symbolic. */
export function knownNumbers(context: InferContext, index: number): readonly number[] | undefined {
  const elements = context.partial(index);
  return elements?.every((element) => typeof element === 'number') ? (elements as readonly number[]) : undefined;
}

/** Whether input `index` of the node is given. */
export function hasInput(context: InferContext, index: number): boolean {
  return (context.node.inputs[index] ?? '') !== '';
}

/** A symbol of its own for an extent of `value` that depends on data. Parentheses keep it whole in extent arithmetic. */
export function unknownDim(value: string, axis: number): string {
  return `size(${value},${axis})`;
}

/** The value whose extent a symbol of `unknownDim` is; undefined for other symbols. */
export function valueOfDim(symbol: string): string | undefined {
  return /^size\((.*),\d+\)$/.exec(symbol)?.[1];
}

/** A vector of extents longer than this is no shape that anything could have. */
const RANK_LIMIT = 64;

/** The rank that a vector of extents of type `vector` describes, when its length is known and sensible. */
export function rankFrom(vector: ValueType): number | undefined {
  const [length] = vector.shape ?? [];
  return typeof length === 'number' && length <= RANK_LIMIT ? length : undefined;
}

/** Shape of known rank with every extent unknown. */
export function unknownShape(value: string, rank: number): Dim[] {
  return Array.from({ length: rank }, (_, axis) => unknownDim(value, axis));
}

/**
 * Known elements as a value of `type` holds them, for the types that inference follows: int64 and bool as they are, int32
 * wrapped; nothing for others (narrow integers, floats).
 */
export function followed(elements: Inferred['partial'], type: ElementType): Inferred['partial'] {
  if (type === 'int32') return elements?.map((element) => (typeof element === 'number' ? element | 0 : element));
  return type === 'int64' || type === 'bool' ? elements : undefined;
}

/** Whether a reduction without axes leaves its input as it is, instead of reducing all. Runtimes take every number but 1 for 0. */
export function reducesNoAxis(node: Node): boolean {
  return attribute(node, 'noop_with_empty_axes', 'int', 0) === 1;
}

/** Whether a reduction keeps the axes that it reduces, as axes of one element. Runtimes take every number but 1 for 0. */
export function keepsAxes(node: Node): boolean {
  return attribute(node, 'keepdims', 'int', 1) === 1;
}
