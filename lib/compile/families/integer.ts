import type { PlanType } from '../../plan/format';
import type { FamilyOf } from '../layer';
import { combineIntegers } from './combine-integers';
import { layerResult } from './result';

/** Types that integer operations take and give. */
export const WHOLE_TYPES: readonly PlanType[] = ['int64', 'int32', 'int8', 'uint8', 'bool'];

/** Operations that integers and bools alone have. */
export const integerFamily: FamilyOf<'integer'> = {
  ops: ['binary_int'],
  float: {
    fuses: false,
    types: WHOLE_TYPES,
    lower: (layer) => combineIntegers(layerResult(layer), layer.call.operation, [layer.plain(0), layer.plain(1)]),
  },
};
