import { reducedExtremeGradient } from '../extreme-gradient';
import { lowestOf } from '../extremes';
import type { Operator } from '../operator';
import { engineReduction, reduction } from '../reduction';
import { NUMBERS } from '../schema';

/** Largest element over axes; NaN wins. */
export const reduceMax: Operator = {
  ...reduction({
    op: 'ReduceMax',
    since: 20,
    axesInputSince: 18,
    types: [...NUMBERS, 'bool'],
    start: lowestOf,
    step: Math.max,
  }),
  gradient: reducedExtremeGradient,
  ...engineReduction('reduce_max_f32', 'reduce_max_s8'),
};
