import { errorFunction } from '../erf-function';
import type { Operator } from '../operator';
import { NUMBERS } from '../schema';
import { unary } from '../unary';

/** Gauss error function. */
export const erf: Operator = unary({
  op: 'Erf',
  traits: ['squashes'],
  since: 13,
  types: NUMBERS,
  of: () => errorFunction,
  float: 'erf',
  quantizable: true,
  // 2 / sqrt(pi) * exp(-x^2)
  slope: (f, x) => f('Mul', 2 / Math.sqrt(Math.PI), f('Exp', f('Neg', f('Mul', x, x)))),
});
