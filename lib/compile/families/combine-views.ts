import { BINARY_OPERATIONS, type BinaryOperation } from '../../core/binary-operation';
import { type Bounds, clampCodes, floatClamp, NO_BOUNDS } from '../grid';
import type { Quantization } from '../step';
import { moveView, type View } from '../view';
import { pairOperands } from './pair-operands';
import type { Result } from './result';

/**
 * Emits an operation of two floats, or of int8 where there is a grid; the result lies like the view that has all of its elements.
 * @throws Unsupported when the two do not broadcast
 */
export function combineViews(
  { program, name, value, extents }: Result,
  operation: BinaryOperation,
  views: readonly View[],
  bounds: Bounds = NO_BOUNDS,
  grid?: Quantization,
): View {
  const { lead: a, inputs } = pairOperands(program, views, extents, isCommutative(operation));
  const dims = [a.buffer.count];
  const buffer = program.buffer(value, grid ? 'int8' : 'float32', a.buffer.count, grid);
  const outputs = [{ buffer, dims }];
  if (grid)
    program.emit({ name, op: 'binary_s8', outputs, inputs, params: { operation, clamp: clampCodes(bounds, grid) } });
  else program.emit({ name, op: 'binary_f32', outputs, inputs, params: { operation, clamp: floatClamp(bounds) } });
  return moveView(a, buffer);
}

function isCommutative(operation: BinaryOperation): boolean {
  return BINARY_OPERATIONS.some(({ name, commutative }) => name === operation && commutative);
}
