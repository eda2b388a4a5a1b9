import { elementCount } from '../../ir/tensor';
import { cutLengths } from '../cut-lengths';
import type { FamilyOf, LayerOf } from '../layer';
import { extentsOf, naturalOrder, plainView, stridedView, type View } from '../view';
import { castView } from './cast';
import { compareViews } from './compare-views';
import { layerResult, partOf, type Result } from './result';

/** Places of extremes; of int8 on a grid those of its codes. */
export const argExtremeFamily: FamilyOf<'arg-extreme'> = {
  ops: ['arg_extreme'],
  float: {
    fuses: false,
    types: ['int64'],
    lower: (layer) => findExtreme(layerResult(layer), layer.integer() ?? layer.plain(), layer.call),
  },
};

/** Emits a search along an axis, which stays as one of one element where the result has as many as `x`. */
function findExtreme(
  { program, name, value, extents }: Result,
  x: View,
  { axis, smallest, last }: { readonly axis: number; readonly smallest: boolean; readonly last: boolean },
): View {
  const { source, from, to, reduced } = cutLengths(program, x, [axis], extents.length);
  const buffer = program.buffer(value, 'int64', elementCount(to));
  program.emit({
    name,
    op: 'arg_extreme',
    outputs: [{ buffer, dims: to }],
    inputs: [{ buffer: source.buffer, dims: from }],
    params: { smallest, last },
  });
  return { buffer, offset: 0, dims: reduced };
}

/** Hardmax: every place against that of the extreme. */
export const hardmaxFamily: FamilyOf<'hardmax'> = {
  ops: ['arg_extreme', 'compare', 'cast'],
  float: {
    fuses: false,
    lower: (layer) => {
      const { axis } = layer.call;
      const { program, extents } = layer;
      const result = layerResult(layer);
      const place = findExtreme(partOf(result, 'place'), layer.float(), { axis, smallest: false, last: false });
      const dims = [extents[axis], ...extents.slice(axis + 1).map(() => 1)];
      const numbers = BigInt64Array.from({ length: extents[axis] }, (_, i) => BigInt(i));
      const places = plainView(program.constant(partOf(result, 'places').value, 'int64', dims, numbers).buffer, dims);
      return castView(result, compareViews(partOf(result, 'hot'), 'equal', [place, places]), 'float32');
    },
  },
};

/** Running sums along an axis. */
export const cumulativeSumFamily: FamilyOf<'cumulative-sum'> = {
  ops: ['cumulative_sum'],
  float: {
    fuses: false,
    types: ['int32', 'int64'],
    lower: (layer) => {
      const { node, call, program, extents } = layer;
      const { source, outer, length, inner } = cutLengths(program, layer.plain(), [call.axis], extents.length);
      const buffer = program.buffer(node.outputs[0], layer.type, source.buffer.count);
      const dims = [outer, length, inner];
      program.emit({
        name: node.name,
        op: 'cumulative_sum',
        outputs: [{ buffer, dims }],
        inputs: [{ buffer: source.buffer, dims }],
        params: { exclusive: call.exclusive, reverse: call.reverse },
      });
      return { ...source, buffer };
    },
  },
};

/** The best elements along an axis, which is brought innermost, and their places. */
export const topKFamily: FamilyOf<'top-k'> = {
  ops: ['top_k'],
  float: { fuses: false, types: ['int8', 'uint8', 'int32', 'int64'], lower: lowerTopK },
};

function lowerTopK(layer: LayerOf<'top-k'>): View[] {
  const { node, call, program, extents } = layer;
  const x = layer.plain();
  const length = extentsOf(x)[call.axis];
  const order = [...naturalOrder(extents.length).filter((axis) => axis !== call.axis), call.axis];
  const source = program.arrange(x, order);
  const rows = source.buffer.count / length;
  // How many is known only in a run: all of them in their order, of which it takes the first.
  if (call.count === undefined) layer.setCount(call.axis, layer.plain(1));
  const { count = extents[call.axis] } = call;
  const dims = [rows, count];
  const [values, places] = [layer.type, 'int64' as const].map((type, index) =>
    program.buffer(node.outputs[index] || `${node.name}:places`, type, rows * count),
  );
  program.emit({
    name: node.name,
    op: 'top_k',
    outputs: [
      { buffer: values, dims },
      { buffer: places, dims },
    ],
    inputs: [{ buffer: source.buffer, dims: [rows, length] }],
    params: { count, smallest: call.smallest },
  });
  return [values, places].map((buffer) => stridedView(buffer, extents, order));
}
