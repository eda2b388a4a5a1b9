import { argReduction } from '../arg-reduction';
import type { Operator } from '../operator';

/** Position of the smallest element along an axis. */
export const argMin: Operator = argReduction('ArgMin', 'smallest');
