import { elementCount } from '../../ir/tensor';
import type { FamilyOf, LayerOf } from '../layer';
import { extentsOf, plainView, type View } from '../view';
import { chooseViews } from './choose-views';
import { elementConstant } from './element-bits';
import { layerResult } from './result';

/** Trilu: the elements of a triangle, zeros elsewhere, by a constant mask. */
export const triangleFamily: FamilyOf<'triangle'> = {
  ops: ['select'],
  integer: {
    operands: 'first',
    grid: 'operand',
    lower:
      (layer, { operands: [x], grid }) =>
      () =>
        triangle(layer, x, grid.zeroPoint),
  },
  float: { fuses: false, types: 'any', lower: (layer) => triangle(layer, layer.plain(), 0) },
};

/** `zero` is the number that stands for 0. */
function triangle(layer: LayerOf<'triangle'>, x: View, zero: number): View {
  const { node, call, program } = layer;
  const [rows, columns] = extentsOf(x).slice(-2);
  const mask = Uint8Array.from({ length: elementCount([rows, columns]) }, (_, place) => {
    const above = (place % columns) - Math.floor(place / columns) - call.diagonal;
    return Number(call.upper ? above >= 0 : above <= 0);
  });
  const condition = plainView(program.constant(`${node.name}:mask`, 'bool', [rows, columns], mask).buffer, [
    rows,
    columns,
  ]);
  const constant = elementConstant(program, `${node.name}:zero`, x.buffer.type, zero);
  return chooseViews(layerResult(layer), condition, x, plainView(constant, []));
}
