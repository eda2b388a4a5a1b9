import { attribute } from '../ir/attribute';
import type { Dim, Node } from '../ir/graph';
import { addDims, knownDims, mulDims } from './dims';
import { dilatedExtent, type Spatial, windowAttributes } from './spatial';

/** Output extents; input extents may be symbols. */
export function transposedExtents(node: Node, input: readonly Dim[], kernel: readonly number[]): Dim[] {
  const { strides, dilations, pads, autoPad } = windowAttributes(node, input.length);
  const extra = attribute(node, 'output_padding', 'ints', Array<number>(input.length).fill(0));
  if (node.attributes.has('output_shape')) return [...attribute(node, 'output_shape', 'ints')].slice(-input.length);
  return input.map((extent, axis) => {
    if (autoPad.startsWith('SAME')) return mulDims(extent, strides[axis]);
    const cut = autoPad === 'VALID' ? 0 : pads[axis] + pads[axis + input.length];
    const reach = dilatedExtent(kernel[axis], dilations[axis]);
    return addDims(mulDims(addDims(extent, -1), strides[axis]), extra[axis] + reach - cut);
  });
}

/** The convolution whose adjoint the node is: its input is the node's output. */
export function adjointSpatial(node: Node, input: readonly number[], kernel: readonly number[]): Spatial {
  const { strides, dilations, pads, autoPad } = windowAttributes(node, input.length);
  const extents = knownDims(transposedExtents(node, input, kernel))!;
  const extra = attribute(node, 'output_padding', 'ints', Array<number>(input.length).fill(0));
  const explicit = autoPad === 'NOTSET' && !node.attributes.has('output_shape');
  const padsBegin = extents.map((extent, axis) => {
    if (explicit) return pads[axis];
    const reach = dilatedExtent(kernel[axis], dilations[axis]);
    const total = Math.max((input[axis] - 1) * strides[axis] + extra[axis] + reach - extent, 0);
    return autoPad === 'SAME_UPPER' ? Math.floor(total / 2) : total - Math.floor(total / 2);
  });
  return { input: extents, kernel, strides, dilations, padsBegin, padsEnd: padsBegin, output: input };
}
