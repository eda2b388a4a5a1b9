import type { Comparison } from '../../core/comparison';
import { moveView, type View } from '../view';
import { pairOperands } from './pair-operands';
import type { Result } from './result';

/** The comparison that holds for exchanged operands. */
const EXCHANGED: Readonly<Record<Comparison, Comparison>> = {
  equal: 'equal',
  not_equal: 'not_equal',
  less: 'greater',
  less_or_equal: 'greater_or_equal',
  greater: 'less',
  greater_or_equal: 'less_or_equal',
};

/** Emits a comparison of two views of one type. */
export function compareViews(result: Result, wanted: Comparison, views: readonly View[]): View {
  const { name, value, program, extents } = result;
  // Operands may change places when the comparison turns with them.
  const { lead, inputs, exchanged } = pairOperands(program, views, extents, true);
  const comparison = exchanged ? EXCHANGED[wanted] : wanted;
  const buffer = program.buffer(value, 'bool', lead.buffer.count);
  const dims = [buffer.count];
  program.emit({ name, op: 'compare', outputs: [{ buffer, dims }], inputs, params: { comparison } });
  return moveView(lead, buffer);
}
