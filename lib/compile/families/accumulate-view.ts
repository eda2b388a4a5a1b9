import type { ReduceOperation } from '../../core/reduce-operation';
import { elementCount } from '../../ir/tensor';
import type { PlanClamp } from '../../plan/description';
import { cutLengths } from '../cut-lengths';
import type { View } from '../view';
import type { Result } from './result';

/** Emits a reduction that accumulates along `axes`, which stay as axes of one element where the result has as many as `x`. */
export function accumulateView(
  { program, name, value, extents }: Result,
  operation: ReduceOperation,
  x: View,
  axes: readonly number[],
  clamp: PlanClamp = {},
): View {
  const { source, from, to, reduced } = cutLengths(program, x, axes, extents.length);
  const buffer = program.buffer(value, 'float32', elementCount(to));
  program.emit({
    name,
    op: 'reduce_f32',
    outputs: [{ buffer, dims: to }],
    inputs: [{ buffer: source.buffer, dims: from }],
    params: { operation, clamp },
  });
  return { buffer, offset: 0, dims: reduced };
}
