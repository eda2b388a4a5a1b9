import { elementCount } from '../../ir/tensor';
import type { Share } from '../../ops/interpolation';
import { forEachIndex } from '../../ops/spatial';
import type { FamilyOf, LayerOf } from '../layer';
import { channelsLastOrder, extentsOf, plainView, stridedView, type View } from '../view';
import { chooseViews } from './choose-views';
import { elementConstant } from './element-bits';
import { layerResult } from './result';

/** Resize by mixtures of neighbours, axis by axis: those first that grow least, so that less is mixed twice. */
export const interpolateFamily: FamilyOf<'interpolate'> = {
  ops: ['interpolate_f32', 'select'],
  float: {
    fuses: false,
    lower: (layer) => {
      const x = layer.float();
      const extents = extentsOf(x);
      const growth = (axis: number): number => layer.call.shares[axis]!.length / extents[axis];
      const axes = layer.call.shares.flatMap((shares, axis) => (shares === undefined ? [] : [axis]));
      const mixed = axes
        .sort((a, b) => growth(a) - growth(b) || a - b)
        .reduce((view, axis) => mixAxis(layer, view, axis, layer.call.shares[axis]!), x);
      return layer.call.outside === undefined ? mixed : replaceOutside(layer, mixed, layer.call.outside);
    },
  },
};

/** The result with a number where an axis mixes nothing, by a constant mask. */
function replaceOutside(layer: LayerOf<'interpolate'>, mixed: View, value: number): View {
  const { node, call, program } = layer;
  const extents = extentsOf(mixed);
  const mask = new Uint8Array(elementCount(extents));
  forEachIndex(extents, (index, flat) => {
    mask[flat] = Number(call.shares.every((shares, axis) => shares === undefined || shares[index[axis]].length > 0));
  });
  const { buffer } = program.constant(`${node.name}:mask`, 'bool', extents, mask);
  const constant = elementConstant(program, `${node.name}:outside`, 'float32', value);
  return chooseViews(layerResult(layer), plainView(buffer, extents), mixed, plainView(constant, []));
}

function mixAxis(
  { node, program }: LayerOf<'interpolate'>,
  view: View,
  axis: number,
  shares: readonly (readonly Share[])[],
): View {
  const extents = extentsOf(view);
  const order = channelsLastOrder(extents.length);
  const source = program.arrange(view, order);
  const made = extents.with(axis, shares.length);
  const buffer = program.buffer(node.outputs[0], 'float32', elementCount(made));
  const at = order.indexOf(axis);
  const [outer, inner] = [order.slice(0, at), order.slice(at + 1)].map((axes) =>
    elementCount(axes.map((other) => extents[other])),
  );
  const taps = Math.max(1, ...shares.map((list) => list.length));
  const dims = [shares.length, taps];
  // Where fewer are mixed, at an edge, the last of them (or the first of all) counts nothing once more.
  const all = shares.flatMap((list) =>
    Array.from({ length: taps }, (_, t) => list[t] ?? { index: list.at(-1)?.index ?? 0, weight: 0 }),
  );
  program.emit({
    name: node.name,
    op: 'interpolate_f32',
    outputs: [{ buffer, dims: [outer, shares.length, inner] }],
    inputs: [
      { buffer: source.buffer, dims: [outer, extents[axis], inner] },
      program.constant(
        `${node.name}:weights`,
        'float32',
        dims,
        Float32Array.from(all, ({ weight }) => weight),
      ),
      program.constant(
        `${node.name}:index`,
        'int32',
        dims,
        Int32Array.from(all, ({ index }) => index),
      ),
    ],
  });
  return stridedView(buffer, made, order);
}
