import { reducedExtremeGradient } from '../extreme-gradient';
import { highestOf } from '../extremes';
import type { Operator } from '../operator';
import { engineReduction, reduction } from '../reduction';
import { NUMBERS } from '../schema';

/** Smallest element over axes; NaN wins. */
export const reduceMin: Operator = {
  ...reduction({
    op: 'ReduceMin',
    since: 20,
    axesInputSince: 18,
    types: [...NUMBERS, 'bool'],
    start: highestOf,
    step: Math.min,
  }),
  gradient: reducedExtremeGradient,
  ...engineReduction('reduce_min_f32', 'reduce_min_s8'),
};
