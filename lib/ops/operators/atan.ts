import type { Operator } from '../operator';
import { unary } from '../unary';

/** Radians whose tangent is the element. */
export const atan: Operator = unary({
  op: 'Atan',
  since: 7,
  of: () => Math.atan,
  float: 'atan',
  traits: ['squashes'],
  quantizable: true,
  slope: (f, x) => f('Reciprocal', f('Add', f('Mul', x, x), 1)),
});
