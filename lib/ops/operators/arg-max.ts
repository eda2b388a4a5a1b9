import { argReduction } from '../arg-reduction';
import type { Operator } from '../operator';

/** Position of the largest element along an axis. */
export const argMax: Operator = argReduction('ArgMax', 'largest');
