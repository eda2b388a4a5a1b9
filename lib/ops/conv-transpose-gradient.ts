import { attribute } from '../ir/attribute';
import { firstOf, weightGradient } from './conv-gradient';
import { dimsOf, sumOver } from './gradients';
import type { GradientContext } from './operator';
import { dilatedExtent, type Spatial } from './spatial';

/**
 * Gradients of ConvTranspose, the adjoint of a convolution with the same weights from the output's plane to the input's:
 * `dX` is that convolution of `dY`, `dW` its weight gradient with `dY` as input and `X` as incoming gradient.
 * `adjoint` is its geometry; the padding behind is derived here.
 */
export function convTransposeGradient(
  { node, emit, outputGradients, wants }: GradientContext,
  adjoint: Spatial,
): (string | undefined)[] {
  const [x, w] = node.inputs;
  const group = attribute(node, 'group', 'int', 1);
  const { kernel, strides, dilations, padsBegin } = adjoint;
  const spread = adjoint.output.map(
    (count, axis) => (count - 1) * strides[axis] + dilatedExtent(kernel[axis], dilations[axis]) - padsBegin[axis],
  );
  const padsEnd = spread.map((extent, axis) => Math.max(extent - adjoint.input[axis], 0));
  // What output_padding added behind the last tap has met no weight.
  const reached = adjoint.input.map((extent, axis) => Math.min(extent, spread[axis]));
  const dy = outputGradients[0]!;
  const met = firstOf(emit, dy, reached);
  const spatial = { ...adjoint, input: reached, padsEnd };
  const [xDims, wDims] = [dimsOf(emit, met), dimsOf(emit, w)];
  const attributes = { kernel_shape: kernel, strides, dilations, group, pads: [...padsBegin, ...padsEnd] };
  return [
    wants(0) ? emit.node('Conv', [met, w], attributes) : undefined,
    wants(1) ? weightGradient({ emit, group, xDims, wDims, spatial }, met, x) : undefined,
    wants(2) ? sumOver(emit, dy, [0, ...xDims.slice(2).map((_, axis) => axis + 2)]) : undefined,
  ];
}
