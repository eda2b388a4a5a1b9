import { ELEMENT_TYPES, type ElementType } from '../ir/element-type';
import { isFloat } from './dense';

/** Smallest value that `type` can hold; -Infinity for floating types, safe integers for 64 bits. */
export function lowestOf(type: ElementType): number {
  if (isFloat(type)) return Number.NEGATIVE_INFINITY;
  if (type === 'bool' || type.startsWith('uint')) return 0;
  return type === 'int64' ? Number.MIN_SAFE_INTEGER : -(2 ** (ELEMENT_TYPES[type].bits - 1));
}

/** Largest value that `type` can hold; Infinity for floating types, safe integers for 64 bits. */
export function highestOf(type: ElementType): number {
  if (isFloat(type)) return Number.POSITIVE_INFINITY;
  if (type === 'bool') return 1;
  if (ELEMENT_TYPES[type].bits === 64) return Number.MAX_SAFE_INTEGER;
  return 2 ** (ELEMENT_TYPES[type].bits - (type.startsWith('uint') ? 0 : 1)) - 1;
}
