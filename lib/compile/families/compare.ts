import type { Comparison } from '../../core/comparison';
import type { FamilyOf } from '../layer';
import { moveView, plainView, type View } from '../view';
import { elementConstant } from './element-bits';
import { pairOperands } from './pair-operands';
import { layerResult, type Result } from './result';

/** The comparison that holds for exchanged operands. */
const EXCHANGED: Readonly<Record<Comparison, Comparison>> = {
  equal: 'equal',
  not_equal: 'not_equal',
  less: 'greater',
  less_or_equal: 'greater_or_equal',
  greater: 'less',
  greater_or_equal: 'less_or_equal',
};

/** Comparisons of two numbers, or of one with itself or with 0. */
export const compareFamily: FamilyOf<'compare'> = {
  ops: ['compare'],
  float: {
    fuses: false,
    types: ['bool'],
    lower: (layer) => {
      const { node, call, program } = layer;
      const a = layer.plain(0);
      const zero = () => plainView(elementConstant(program, `${node.name}:zero`, a.buffer.type, 0), []);
      const b = call.beside === undefined ? layer.plain(1) : call.beside === 0 ? zero() : a;
      return compareViews(layerResult(layer), call.comparison, [a, b]);
    },
  },
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
