import { elementCount } from '../../ir/tensor';
import { cutLengths } from '../cut-lengths';
import type { FamilyOf, LayerOf } from '../layer';
import { extentsOf, naturalOrder, stridedView, type View } from '../view';

/** Places of extremes; of int8 on a grid those of its codes. */
export const argExtremeFamily: FamilyOf<'arg-extreme'> = {
  ops: ['arg_extreme'],
  float: {
    fuses: false,
    types: ['int64'],
    lower: (layer) => {
      const { node, call, program, extents } = layer;
      const x = layer.integer() ?? layer.plain();
      const { source, from, to, reduced } = cutLengths(program, x, [call.axis], extents.length);
      const buffer = program.buffer(node.outputs[0], 'int64', elementCount(to));
      program.emit({
        name: node.name,
        op: 'arg_extreme',
        outputs: [{ buffer, dims: to }],
        inputs: [{ buffer: source.buffer, dims: from }],
        params: { smallest: call.smallest, last: call.last },
      });
      return { buffer, offset: 0, dims: reduced };
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
  const dims = [rows, call.count];
  const [values, places] = [layer.type, 'int64' as const].map((type, index) =>
    program.buffer(node.outputs[index] || `${node.name}:places`, type, rows * call.count),
  );
  program.emit({
    name: node.name,
    op: 'top_k',
    outputs: [
      { buffer: values, dims },
      { buffer: places, dims },
    ],
    inputs: [{ buffer: source.buffer, dims: [rows, length] }],
    params: { count: call.count, smallest: call.smallest },
  });
  return [values, places].map((buffer) => stridedView(buffer, extents, order));
}
