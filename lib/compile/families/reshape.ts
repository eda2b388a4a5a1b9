import type { FamilyOf, Kernel, LayerOf } from '../layer';
import { broadcastView, extentsOf, reshapeView, sliceView, transposeView, type View } from '../view';
import { movingFamily } from './moving';

/** Reshape, Flatten, Squeeze and the like: another view of the same memory wherever factors allow. */
export const reshapeFamily: FamilyOf<'reshape'> = viewFamily(
  ({ extents }) =>
    (view) =>
      reshapeView(view, extents),
);

/** Transpose: a view; the copy happens when a kernel needs another memory order. */
export const transposeFamily: FamilyOf<'transpose'> = viewFamily(
  ({ call }) =>
    (view) =>
      transposeView(view, call.permutation),
);

/** Slice: a view with an offset and steps. */
export const sliceFamily: FamilyOf<'slice'> = viewFamily(
  ({ call, extents }) =>
    (view) =>
      sliceView(view, call.starts, call.steps, extents),
);

/** Expand: a view that repeats along some axes. */
export const expandFamily: FamilyOf<'expand'> = viewFamily(
  ({ extents }) =>
    (view) =>
      broadcastView(view, extents),
);

/** DepthToSpace and SpaceToDepth: axes cut up, in another order, and joined again. */
export const rearrangeFamily: FamilyOf<'rearrange'> = viewFamily(({ call, extents }) => (view) => {
  const split = reshapeView(view, call.split);
  return split && reshapeView(transposeView(split, call.order), extents);
});

/** Split: a slice for every output. */
export const splitFamily: FamilyOf<'split'> = movingFamily(['copy_nd'], split);

function split({ call, program }: LayerOf<'split'>, whole: View): View[] {
  const full = extentsOf(whole);
  const steps = full.map(() => 1);
  let start = 0;
  const cut = (view: View, length: number): View | undefined => {
    const starts = full.map((_, axis) => (axis === call.axis ? start : 0));
    const extents = full.map((extent, axis) => (axis === call.axis ? length : extent));
    return sliceView(view, starts, steps, extents);
  };
  return call.lengths.map((length) => {
    const piece = cut(whole, length) ?? cut(program.rowMajor(whole), length)!;
    start += length;
    return piece;
  });
}

/** A change of view of the form that a value has (int8 before float), with a copy only where no view exists. */
function viewFamily<K extends Kernel>(changeOf: (layer: LayerOf<K>) => (view: View) => View | undefined): FamilyOf<K> {
  const changed = (layer: LayerOf<K>, view: View): View => {
    const change = changeOf(layer);
    // Row-major memory has one factor per axis, which every change can express.
    return change(view) ?? change(layer.program.rowMajor(view))!;
  };
  return movingFamily(['copy_nd'], changed);
}
