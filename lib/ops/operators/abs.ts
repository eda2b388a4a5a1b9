import type { Operator } from '../operator';
import { NUMBERS } from '../schema';
import { unary } from '../unary';

/** Absolute value. */
export const abs: Operator = unary({
  op: 'Abs',
  traits: ['squashes'],
  since: 13,
  types: NUMBERS,
  of: () => Math.abs,
  float: 'abs',
  quantizable: true,
  slope: (f, x) => f('Sign', x),
});
