import type { Dim } from '../../ir/graph';
import { rankFrom, unknownDim, unknownShape } from '../axes';
import { broadcastExtents, broadcastOffsets, broadcastShapes } from '../broadcast';
import { elementCost } from '../cost';
import { expansion } from '../coupling-shapes';
import { emptyLike } from '../dense';
import { knownDims } from '../dims';
import { dimsOf, sumToShape } from '../gradients';
import type { Operator } from '../operator';
import { EVERY_TYPE, problem, required } from '../schema';

/** The input broadcast with the shape given as second input (both ways: a 1 there keeps the input's extent). */
export const expand: Operator = {
  op: 'Expand',
  domain: '',
  since: 13,
  schema: {
    inputs: [required('input', EVERY_TYPE), required('shape', ['int64'])],
    outputs: [required('output', EVERY_TYPE)],
    attributes: {},
  },
  infer: (context) => {
    const { node, inputs } = context;
    const { type, shape } = inputs[0]!;
    const target = context.partial(1);
    if (!shape) return [{ type, shape }];
    if (!target) {
      const rank = rankFrom(inputs[1]!);
      if (rank === undefined) return [{ type, shape: undefined }];
      return [{ type, shape: unknownShape(node.outputs[0], Math.max(rank, shape.length)) }];
    }
    const known = target.map((dim, axis): Dim => dim ?? unknownDim(node.outputs[0], axis));
    const result = broadcastShapes([shape, known]);
    if (!result) return problem(node, 'shape-mismatch', `[${shape}] does not expand to [${known}]`);
    const single = result.length <= 1 && type.startsWith('int') ? context.partial(0) : undefined;
    const count = knownDims(result)?.[0];
    const partial =
      single?.length === 1 && count !== undefined && count <= 1024 ? Array(count).fill(single[0]) : undefined;
    return [{ type, shape: result, partial }];
  },
  evaluate: ([input, target]) => {
    const dims = broadcastExtents(input!.dims, Array.from(target!.data));
    const result = emptyLike(input!, dims);
    broadcastOffsets(input!.dims, dims).forEach((offset, i) => {
      result.data[i] = input!.data[offset];
    });
    return [result];
  },
  coupling: expansion,
  gradient: ({ node, emit, outputGradients }) => [sumToShape(emit, outputGradients[0]!, dimsOf(emit, node.inputs[0]))],
  cost: elementCost,
  quantization: { inputs: [{ role: 'activation' }, { role: 'none' }], output: 'same' },
  // The extents of the result say all that there is to say.
  lower: () => ({ kernel: 'expand' }),
};
