import type { Dim } from '../../ir/graph';
import { binary } from '../binary';
import { isNonNegative } from '../dims';
import type { Operator } from '../operator';
import { NUMBERS } from '../schema';

/** Equal expressions are equal; an extent never equals a negative number (the `-1` of exported Expand chains). */
function equalDims(a: Dim, b: Dim): Dim | undefined {
  if (a === b) return 1;
  const [symbol, other] = typeof a === 'number' ? [b, a] : [a, b];
  return typeof other === 'number' && other < 0 && isNonNegative(symbol) ? 0 : undefined;
}

/** Whether `a = b`, on broadcast tensors. */
export const equal: Operator = binary({
  op: 'Equal',
  since: 19,
  types: [...NUMBERS, 'bool', 'string'],
  output: 'bool',
  of: (a, b) => Number(a === b),
  ofDims: equalDims,
  lower: () => ({ kernel: 'compare', comparison: 'equal' }),
});
