import type { FamilyOf } from '../layer';
import { naturalOrder } from '../view';

/** Softmax over rows, which must be contiguous: the axis is brought innermost. */
export const softmaxFamily: FamilyOf<'softmax'> = {
  ops: ['softmax_f32'],
  float: {
    fuses: false,
    lower: (layer) => {
      const { node, call, program } = layer;
      const extents = layer.inputExtents(0);
      const others = naturalOrder(extents.length).filter((axis) => axis !== call.axis);
      const source = program.arrange(layer.float(), [...others, call.axis]);
      const buffer = program.buffer(node.outputs[0], 'float32', source.buffer.count);
      const dims = [source.buffer.count / extents[call.axis], extents[call.axis]];
      program.emit({
        name: node.name,
        op: 'softmax_f32',
        outputs: [{ buffer, dims }],
        inputs: [{ buffer: source.buffer, dims }],
      });
      return { ...source, buffer };
    },
  },
};
