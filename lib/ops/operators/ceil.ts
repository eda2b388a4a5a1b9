import type { Operator } from '../operator';
import { unary } from '../unary';

/** Smallest integer not below the element. */
export const ceil: Operator = unary({
  op: 'Ceil',
  since: 13,
  of: () => Math.ceil,
  float: 'ceil',
});
