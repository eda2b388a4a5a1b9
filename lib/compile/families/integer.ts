import { INTEGER_OPERATIONS, type IntegerOperation } from '../../core/integer-operation';
import type { PlanType } from '../../plan/format';
import type { FamilyOf } from '../layer';
import { moveView, type View } from '../view';
import { pairOperands } from './pair-operands';
import { layerResult, type Result } from './result';

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

/** Emits an operation on two integers of one type. */
export function combineIntegers(result: Result, operation: IntegerOperation, views: readonly View[]): View {
  const { name, value, program, extents } = result;
  const commutes = INTEGER_OPERATIONS.some(({ name, commutative }) => name === operation && commutative);
  const { lead, inputs } = pairOperands(program, views, extents, commutes);
  const buffer = program.buffer(value, lead.buffer.type, lead.buffer.count);
  const dims = [buffer.count];
  program.emit({
    name,
    op: 'binary_int',
    outputs: [{ buffer, dims }],
    inputs,
    params: { operation },
  });
  return moveView(lead, buffer);
}
