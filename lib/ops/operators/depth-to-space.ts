import { attribute } from '../../ir/attribute';
import type { Node } from '../../ir/graph';
import { elementCost } from '../cost';
import { divideExactly, mulDims } from '../dims';
import { dimsOf, reshapeTo, transposeTo } from '../gradients';
import type { Operator } from '../operator';
import { lowerRearrangement, type Rearrangement } from '../rearrangement';
import { EVERY_TYPE, oneOf, problem, required } from '../schema';
import { readStrided, rowMajorStrides } from '../strides';

/** Blocks of channels spread over the image: `[N, C*b*b, H, W]` to `[N, C, H*b, W*b]`. */
export const depthToSpace: Operator = {
  op: 'DepthToSpace',
  traits: ['rearranges'],
  domain: '',
  since: 13,
  schema: {
    inputs: [required('input', EVERY_TYPE)],
    outputs: [required('output', EVERY_TYPE)],
    attributes: { blocksize: { kind: 'int', required: true }, mode: oneOf('DCR', 'CRD') },
  },
  infer: ({ node, inputs: [input] }) => {
    const { type, shape } = input!;
    if (!shape) return [{ type, shape }];
    const block = attribute(node, 'blocksize', 'int');
    const channels = shape.length === 4 ? divideExactly(shape[1], block * block) : undefined;
    if (channels === undefined)
      return problem(node, 'shape-mismatch', `shape [${shape}] has no blocks of ${block}x${block} channels`);
    return [{ type, shape: [shape[0], channels, mulDims(shape[2], block), mulDims(shape[3], block)] }];
  },
  evaluate: ([input], node) => {
    const block = attribute(node, 'blocksize', 'int');
    const [n, depth, h, w] = input!.dims;
    const channels = depth / (block * block);
    const { split, order } = blocks(node, input!.dims);
    const strides = rowMajorStrides(split);
    const result = readStrided(
      input!,
      order.map((axis) => split[axis]),
      order.map((axis) => strides[axis]),
    );
    return [{ ...result, dims: [n, channels, h * block, w * block] }];
  },
  gradient: ({ node, emit, outputGradients }) => {
    const blocksize = attribute(node, 'blocksize', 'int');
    const gathered = emit.node('SpaceToDepth', [outputGradients[0]!], { blocksize });
    if (attribute(node, 'mode', 'string', 'DCR') === 'DCR') return [gathered];
    // SpaceToDepth orders (place in block, channel); CRD has it the other way round.
    const dims = dimsOf(emit, gathered);
    const [n, depth, h, w] = dims;
    const places = blocksize * blocksize;
    const swapped = transposeTo(emit, reshapeTo(emit, gathered, [n, places, depth / places, h * w]), [0, 2, 1, 3]);
    return [reshapeTo(emit, swapped, dims)];
  },
  cost: elementCost,
  quantization: { inputs: [{ role: 'activation' }], output: 'same' },
  lower: lowerRearrangement(blocks),
};

/** Channels split into (row in block, column in block, channel), or (channel, row, column) for CRD; and where each goes. */
function blocks(node: Node, [n, depth, h, w]: readonly number[]): Rearrangement {
  const block = attribute(node, 'blocksize', 'int');
  const channels = depth / (block * block);
  return attribute(node, 'mode', 'string', 'DCR') === 'CRD'
    ? { split: [n, channels, block, block, h, w], order: [0, 1, 4, 2, 5, 3] }
    : { split: [n, block, block, channels, h, w], order: [0, 3, 4, 1, 5, 2] };
}
