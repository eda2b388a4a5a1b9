import type { Operator } from '../operator';
import { unary } from '../unary';

/** Largest integer not above the element. */
export const floor: Operator = unary({
  op: 'Floor',
  since: 13,
  of: () => Math.floor,
  float: 'floor',
});
