import type { FamilyOf, LayerOf } from '../layer';
import { Unsupported } from '../unsupported';
import { extentsOf, type View } from '../view';
import { cuttable, fill, part, resultView } from './assemble';

/** Most rows that are copied one by one. */
const MOST_ROWS = 1024;

/** Trilu: zeros, then what is left of each row. */
export const triangleFamily: FamilyOf<'triangle'> = {
  ops: ['fill', 'copy_nd'],
  integer: {
    operands: 'first',
    grid: 'operand',
    lower: (layer, { operands: [x], grid }) => {
      requireRows(layer);
      return () => emitTriangle(layer, x, grid.zeroPoint & 0xff);
    },
  },
  float: {
    fuses: false,
    lower: (layer) => {
      requireRows(layer);
      return emitTriangle(layer, layer.float(), 0);
    },
  },
};

function requireRows({ extents }: LayerOf<'triangle'>): void {
  const rows = extents.at(-2)!;
  if (rows > MOST_ROWS) throw new Unsupported(`it has ${rows} rows (the engine cuts up to ${MOST_ROWS})`);
}

/** `zero` is the bit pattern of the element that stands for 0. */
function emitTriangle(layer: LayerOf<'triangle'>, x: View, zero: number): View {
  const { node, call, program, extents } = layer;
  const [rows, columns] = extents.slice(-2);
  const lastTwo = extents.length - 2;
  const source = cuttable(program, x, [lastTwo, lastTwo + 1]);
  const target = resultView(layer, source.buffer);
  fill(program, `${node.name}:fill`, target.buffer, zero);
  for (let row = 0; row < rows; row++) {
    const [from, to] = call.upper ? [row + call.diagonal, columns] : [0, row + call.diagonal + 1];
    const [first, last] = [Math.max(0, from), Math.min(columns, to)];
    if (first >= last) continue;
    const starts = extents.map((_, axis) => (axis === lastTwo ? row : axis > lastTwo ? first : 0));
    const box = extentsOf(source).map((extent, axis) =>
      axis === lastTwo ? 1 : axis > lastTwo ? last - first : extent,
    );
    program.copy(`${node.name}:${row}`, part(source, starts, box), part(target, starts, box));
  }
  return target;
}
