import { elementCount } from '../../ir/tensor';
import { repeatOperand } from '../repeat-operand';
import type { Operand } from '../step';
import { Unsupported } from '../unsupported';
import { broadcastView, moveView, sizeOf, type View } from '../view';
import type { Result } from './result';

/** Emits a choice between two views of one type. */
export function chooseViews(result: Result, condition: View, a: View, b: View): View {
  const { name, value, program, extents } = result;
  // The result lies like an operand that has all of its elements, rather like one of its own type.
  const isFull = (view: View) => sizeOf(view) === elementCount(extents);
  const full = [a, b, condition].filter(isFull);
  const leader = full.find(({ buffer }) => buffer.place.kind !== 'constant') ?? full[0] ?? a;
  const broadcast = (view: View): View => {
    const whole = broadcastView(view, extents);
    if (whole === undefined) throw new Unsupported(`its operands do not broadcast to [${extents}]`);
    return whole;
  };
  const lead = full.length > 0 ? program.dense(broadcast(leader)) : program.rowMajor(broadcast(leader));
  const inputs = [condition, a, b].map((view): Operand => {
    // A port of one element need not be written out.
    if (sizeOf(view) === 1) return { buffer: program.rowMajor(view).buffer, dims: [] };
    return repeatOperand(program, view === leader ? lead : broadcast(view), lead);
  });
  const buffer = program.buffer(value, a.buffer.type, lead.buffer.count, a.buffer.quantization);
  program.emit({ name, op: 'select', outputs: [{ buffer, dims: [buffer.count] }], inputs });
  return moveView(lead, buffer);
}
