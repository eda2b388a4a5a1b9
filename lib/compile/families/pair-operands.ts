import { elementCount } from '../../ir/tensor';
import type { Program } from '../program';
import { repeatOperand } from '../repeat-operand';
import type { Operand } from '../step';
import { Unsupported } from '../unsupported';
import { broadcastView, sizeOf, type View } from '../view';

/**
 * Two operands as element-wise kernels take them: the view that the result lies like, which has all of its elements, and the
 * operands in the order of the kernel, the second of which may repeat. `exchanged`: they have changed places.
 */
export function pairOperands(
  program: Program,
  views: readonly View[],
  extents: readonly number[],
  commutative: boolean,
): { lead: View; inputs: readonly Operand[]; exchanged: boolean } {
  const { lead: first, other, exchanged } = orderOperands(program, views, extents, commutative);
  const lead = program.dense(first);
  const dims = [lead.buffer.count];
  return { lead, inputs: [{ buffer: lead.buffer, dims }, repeatOperand(program, other, lead)], exchanged };
}

/**
 * Operands of an operation, both with the extents of the result: first one that has all of its elements, then the one that
 * may repeat. Where the operation is commutative they may change places (the computed one leads if both have all elements);
 * when the first repeats, it is written out.
 */
export function orderOperands(
  program: Program,
  views: readonly View[],
  extents: readonly number[],
  commutative: boolean,
): { lead: View; other: View; exchanged: boolean } {
  const [a, b] = views.map((view) => broadcastView(view, extents));
  if (a === undefined || b === undefined) throw new Unsupported(`its operands do not broadcast to [${extents}]`);
  const full = views.map((view) => sizeOf(view) === elementCount(extents));
  const constant = views.map((view) => view.buffer.place.kind === 'constant');
  if (commutative && full[1] && (!full[0] || constant[0])) return { lead: b, other: a, exchanged: true };
  return { lead: full[0] ? a : program.rowMajor(a), other: b, exchanged: false };
}
