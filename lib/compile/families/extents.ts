import { elementCount } from '../../ir/tensor';
import type { FamilyOf } from '../layer';
import { plainView } from '../view';

/** Shape and Size as outputs of the model: a constant. */
export const extentsFamily: FamilyOf<'extents'> = {
  ops: ['copy_nd'],
  float: {
    fuses: false,
    types: ['int64'],
    lower: ({ node, call, program, extents }) => {
      const numbers = BigInt64Array.from(call.numbers, BigInt);
      if (numbers.length !== elementCount(extents))
        throw new RangeError(`${node.name}: [${call.numbers}] for [${extents}]`);
      return plainView(program.constant(node.outputs[0], 'int64', extents, numbers).buffer, extents);
    },
  },
};
