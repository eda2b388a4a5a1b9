import type { FamilyOf, LayerOf } from '../layer';
import { Unsupported } from '../unsupported';
import { arithmeticRun, extentsOf, nestedSteps, selectView, type View } from '../view';
import { cuttable, part, resultView } from './assemble';

/** Most pieces that are copied straight into the result; more of them are put together axis by axis. */
const MOST_PIECES = 32;
/** Most copies along one axis. */
const MOST_COPIES = 1024;

/** Some elements of an axis that one copy takes: places of the result `start`, `start + step`, ..., and where they come from. */
interface Piece {
  readonly start: number;
  readonly step: number;
  readonly places: readonly number[];
}

/**
 * Tile, Pad by mirror images, edges or repetition, Resize to the nearest element: a view where places are nested steps
 * (whole factors, repetition, cuts), else one copy for each piece of which that is true.
 */
export const selectFamily: FamilyOf<'select'> = {
  ops: ['copy_nd'],
  integer: {
    operands: 'first',
    grid: 'operand',
    lower:
      (layer, { operands: [x] }) =>
      () =>
        select(layer, x),
  },
  float: { fuses: false, types: 'any', lower: (layer) => select(layer, layer.plain()) },
};

function select(layer: LayerOf<'select'>, x: View): View {
  const { places: given } = layer.call;
  const cut = given.flatMap((places, axis) => (places && nestedSteps(places) === undefined ? [axis] : []));
  const whole = given.reduce<View>(
    (view, places, axis) => (places && !cut.includes(axis) ? along(layer, view, axis, places) : view),
    x,
  );
  if (cut.length === 0) return whole;
  const pieces = new Map(cut.map((axis) => [axis, cutIntoPieces(given[axis]!)]));
  const count = [...pieces.values()].reduce((product, list) => product * list.length, 1);
  if (cut.length === 1 || count <= MOST_PIECES) return join(layer, whole, pieces);
  // The axis that grows least first, so that less is copied twice.
  const growth = (axis: number): number => given[axis]!.length / extentsOf(x)[axis];
  const order = [...cut].sort((a, b) => growth(a) - growth(b));
  return order.reduce((view, axis) => join(layer, view, new Map([[axis, pieces.get(axis)!]])), whole);
}

/** Part of a view along one axis; row-major first where the axis is spread over factors. */
function along({ program }: LayerOf<'select'>, view: View, axis: number, places: readonly number[]): View {
  return selectView(view, axis, places) ?? selectView(program.rowMajor(view), axis, places)!;
}

/** Copies every combination of pieces to its place in a new buffer. */
function join(layer: LayerOf<'select'>, x: View, pieces: ReadonlyMap<number, readonly Piece[]>): View {
  const { node, program } = layer;
  const axes = [...pieces.keys()];
  const source = cuttable(program, x, axes);
  const extents = extentsOf(source).map((extent, axis) =>
    pieces.has(axis) ? layer.call.places[axis]!.length : extent,
  );
  const target = resultView(layer, source.buffer, extents);
  let copies = 0;
  const visit = (depth: number, view: View, starts: readonly number[], steps: readonly number[]): void => {
    if (depth === axes.length) {
      const box = part(target, starts, extentsOf(view), steps);
      program.copy(`${node.name}:${copies++}`, view, box);
      return;
    }
    const axis = axes[depth];
    for (const { start, step, places } of pieces.get(axis)!)
      visit(depth + 1, selectView(view, axis, places)!, starts.with(axis, start), steps.with(axis, step));
  };
  visit(
    0,
    source,
    extents.map(() => 0),
    extents.map(() => 1),
  );
  return target;
}

/** As few pieces of nested steps as are found: runs one behind the other, or every `step`-th place from each of the first. */
function cutIntoPieces(places: readonly number[]): readonly Piece[] {
  const runs: Piece[] = [];
  for (let start = 0; start < places.length; ) {
    const end = start + arithmeticRun(places, start);
    runs.push({ start, step: 1, places: places.slice(start, end) });
    start = end;
  }
  for (let step = 2; step < runs.length; step++) {
    const comb = Array.from({ length: step }, (_, start) => ({
      start,
      step,
      places: Array.from({ length: Math.ceil((places.length - start) / step) }, (_, i) => places[start + i * step]),
    }));
    if (comb.every((piece) => arithmeticRun(piece.places, 0) === piece.places.length)) return comb;
  }
  if (runs.length > MOST_COPIES)
    throw new Unsupported(`its elements come in ${runs.length} pieces (the engine copies up to ${MOST_COPIES})`);
  return runs;
}
