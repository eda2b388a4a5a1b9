import { INTEGER_OPERATIONS, type IntegerOperation } from '../../core/integer-operation';
import { moveView, type View } from '../view';
import { pairOperands } from './pair-operands';
import type { Result } from './result';

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
