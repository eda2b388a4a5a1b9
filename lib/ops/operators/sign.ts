import type { Operator } from '../operator';
import { NUMBERS } from '../schema';
import { unary } from '../unary';

/** -1, 0 or 1. */
export const sign: Operator = unary({
  op: 'Sign',
  since: 13,
  types: NUMBERS,
  of: () => Math.sign,
  float: 'sign',
});
