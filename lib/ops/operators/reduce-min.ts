import { reducedExtremeGradient } from '../extreme-gradient';
import { highestOf } from '../extremes';
import type { Operator } from '../operator';
import { reduction } from '../reduction';
import { NUMBERS } from '../schema';

/** Smallest element over axes; NaN wins. */
export const reduceMin: Operator = {
  ...reduction({
    op: 'ReduceMin',
    since: 20,
    axesInputSince: 18,
    types: [...NUMBERS, 'bool'],
    start: highestOf,
    step: (best, x) => (Number.isNaN(x) || x < best ? x : best),
  }),
  gradient: reducedExtremeGradient,
};
