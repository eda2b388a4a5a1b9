import { roundHalfToEven } from './half';
import type { Operator } from './operator';
import { unary } from './unary';

/** Nearest integer, ties to even. */
export const round: Operator = unary({
  op: 'Round',
  since: 11,
  of: () => roundHalfToEven,
});
