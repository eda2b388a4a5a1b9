import type { Comparison } from '../../core/comparison';
import type { FamilyOf, LayerOf } from '../layer';
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

/** Comparisons of two numbers, or of one or its size with itself or a given one. */
export const compareFamily: FamilyOf<'compare'> = {
  ops: ['compare', 'unary_f32'],
  float: {
    fuses: false,
    types: ['bool'],
    lower: (layer) => {
      const { node, call, program } = layer;
      const a = call.ofSize ? sizes(layer) : layer.plain(0);
      const { beside } = call;
      const number = (value: number) =>
        plainView(elementConstant(program, `${node.name}:number`, a.buffer.type, value), []);
      const b = beside === undefined ? layer.plain(1) : beside === 'itself' ? a : number(beside);
      return compareViews(layerResult(layer), call.comparison, [a, b]);
    },
  },
};

/** The absolute values of a float input. */
function sizes(layer: LayerOf<'compare'>): View {
  const { node, program } = layer;
  const x = program.dense(layer.float());
  const buffer = program.buffer(`${node.name}:size`, 'float32', x.buffer.count);
  const dims = [buffer.count];
  const params = { operation: 'abs' } as const;
  const inputs = [{ buffer: x.buffer, dims }];
  program.emit({ name: `${node.name}:size`, op: 'unary_f32', outputs: [{ buffer, dims }], inputs, params });
  return moveView(x, buffer);
}

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
