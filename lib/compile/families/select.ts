import { elementCount } from '../../ir/tensor';
import type { FamilyOf, LayerOf } from '../layer';
import {
  arithmeticRun,
  channelsLastOrder,
  extentsOf,
  naturalOrder,
  nestedSteps,
  selectView,
  stridedView,
  type View,
} from '../view';
import { cuttable, part, resultView } from './assemble';
import { movingFamily } from './moving';

/** Most pieces of an axis that are copied one by one; more of them are looked up by index. */
const MOST_PIECES = 4;

/** Some elements of an axis that one copy takes: places of the result `start`, `start + step`, ..., and where they come from. */
interface Piece {
  readonly start: number;
  readonly step: number;
  readonly places: readonly number[];
}

/**
 * Tile, Pad by mirror images, edges or repetition, Resize to the nearest element: a view where places are nested steps
 * (whole factors, repetition, cuts), else one copy for each piece of which that is true, or a gather where there are many.
 */
export const selectFamily: FamilyOf<'select'> = movingFamily(['copy_nd', 'gather'], select);

function select(layer: LayerOf<'select'>, x: View): View {
  const { places: given } = layer.call;
  const cut = given.flatMap((places, axis) => (places && nestedSteps(places) === undefined ? [axis] : []));
  const whole = given.reduce<View>(
    (view, places, axis) => (places && !cut.includes(axis) ? along(layer, view, axis, places) : view),
    x,
  );
  const pieces = new Map(cut.map((axis) => [axis, cutIntoPieces(given[axis]!)]));
  const [many, few] = [true, false].map((isMany) =>
    cut.filter((axis) => pieces.get(axis)!.length > MOST_PIECES === isMany),
  );
  const joined = few.length > 0 ? join(layer, whole, new Map(few.map((axis) => [axis, pieces.get(axis)!]))) : whole;
  // The axis that grows least first, so that less is moved twice.
  const growth = (axis: number): number => given[axis]!.length / extentsOf(x)[axis];
  const order = [...many].sort((a, b) => growth(a) - growth(b));
  return order.reduce((view, axis) => gatherAlong(layer, view, axis, given[axis]!), joined);
}

/** The elements of an axis by a constant index each. */
function gatherAlong({ node, program }: LayerOf<'select'>, view: View, axis: number, places: readonly number[]): View {
  const extents = extentsOf(view);
  const order = extents.length > 2 ? channelsLastOrder(extents.length) : naturalOrder(extents.length);
  const { buffer: source } = program.arrange(view, order);
  const made = extents.with(axis, places.length);
  const at = order.indexOf(axis);
  const [outer, inner] = [order.slice(0, at), order.slice(at + 1)].map((axes) =>
    elementCount(axes.map((other) => extents[other])),
  );
  const buffer = program.buffer(node.outputs[0], source.type, elementCount(made), source.quantization);
  program.emit({
    name: node.name,
    op: 'gather',
    outputs: [{ buffer, dims: [outer, places.length, inner] }],
    inputs: [
      { buffer: source, dims: [outer, extents[axis], inner] },
      program.constant(`${node.name}:places`, 'int32', [places.length], Int32Array.from(places)),
    ],
  });
  return stridedView(buffer, made, order);
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
  for (let step = 2; step < Math.min(runs.length, MOST_PIECES + 1); step++) {
    const comb = Array.from({ length: step }, (_, start) => ({
      start,
      step,
      places: Array.from({ length: Math.ceil((places.length - start) / step) }, (_, i) => places[start + i * step]),
    }));
    if (comb.every((piece) => arithmeticRun(piece.places, 0) === piece.places.length)) return comb;
  }
  return runs;
}
