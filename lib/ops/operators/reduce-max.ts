import { reducedExtremeGradient } from '../extreme-gradient';
import { lowestOf } from '../extremes';
import type { Operator } from '../operator';
import { reduction } from '../reduction';
import { NUMBERS } from '../schema';

/** Largest element over axes; NaN wins. */
export const reduceMax: Operator = {
  ...reduction({
    op: 'ReduceMax',
    since: 20,
    axesInputSince: 18,
    types: [...NUMBERS, 'bool'],
    start: lowestOf,
    step: (best, x) => (Number.isNaN(x) || x > best ? x : best),
  }),
  gradient: reducedExtremeGradient,
};
