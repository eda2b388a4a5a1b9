import type { Operator } from '../operator';
import { unary } from '../unary';

/** `ln(exp(x) + 1)`, without overflow for large elements. */
export const softplus: Operator = unary({
  op: 'Softplus',
  traits: ['squashes'],
  since: 1,
  of: () => (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  float: 'softplus',
  quantizable: true,
  slope: (f, x) => f('Sigmoid', x),
});
