import { attribute } from '../../ir/attribute';
import type { Node } from '../../ir/graph';
import { elementCost } from '../cost';
import { divideExactly, mulDims } from '../dims';
import type { Operator } from '../operator';
import { lowerRearrangement, type Rearrangement } from '../rearrangement';
import { EVERY_TYPE, problem, required } from '../schema';
import { readStrided, rowMajorStrides } from '../strides';

/** Blocks of pixels gathered into channels: `[N, C, H, W]` to `[N, C*b*b, H/b, W/b]`. */
export const spaceToDepth: Operator = {
  op: 'SpaceToDepth',
  traits: ['rearranges'],
  domain: '',
  since: 13,
  schema: {
    inputs: [required('input', EVERY_TYPE)],
    outputs: [required('output', EVERY_TYPE)],
    attributes: { blocksize: { kind: 'int', required: true } },
  },
  infer: ({ node, inputs: [input] }) => {
    const { type, shape } = input!;
    if (!shape) return [{ type, shape }];
    const block = attribute(node, 'blocksize', 'int');
    const [h, w] = shape.length === 4 ? [2, 3].map((axis) => divideExactly(shape[axis], block)) : [];
    if (h === undefined || w === undefined)
      return problem(node, 'shape-mismatch', `shape [${shape}] has no blocks of ${block}x${block} pixels`);
    return [{ type, shape: [shape[0], mulDims(shape[1], block * block), h, w] }];
  },
  evaluate: ([input], node) => {
    const block = attribute(node, 'blocksize', 'int');
    const { split, order } = blocks(node, input!.dims);
    const [n, channels, h, , w] = split;
    const strides = rowMajorStrides(split);
    const result = readStrided(
      input!,
      order.map((axis) => split[axis]),
      order.map((axis) => strides[axis]),
    );
    return [{ ...result, dims: [n, channels * block * block, h, w] }];
  },
  gradient: ({ node, emit, outputGradients }) => [
    emit.node('DepthToSpace', [outputGradients[0]!], { blocksize: attribute(node, 'blocksize', 'int'), mode: 'DCR' }),
  ],
  cost: elementCost,
  quantization: { inputs: [{ role: 'activation' }], output: 'same' },
  lower: lowerRearrangement(blocks),
};

/** Rows and columns split into (block, place in block), and where each goes. */
function blocks(node: Node, [n, channels, h, w]: readonly number[]): Rearrangement {
  const block = attribute(node, 'blocksize', 'int');
  return { split: [n, channels, h / block, block, w / block, block], order: [0, 3, 5, 1, 2, 4] };
}
