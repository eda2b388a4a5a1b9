import type { Window } from '../../ops/kernel-call';
import type { ConvolutionWeights } from '../convolution-weights';
import { clampCodes, floatClamp } from '../grid';
import type { LoweredLayer } from '../layer';
import { type Operand, type Quantization, stepName } from '../step';
import type { View } from '../view';
import { imageOperand, imageResult, planWindow } from './image';

/** One convolution: what it works with besides its input, and how. */
export interface Convolution {
  readonly window: Window;
  readonly groups: number;
  readonly geometry: ConvolutionWeights;
  /** In plan order. */
  readonly weights: Operand;
  /** The operands behind the weights: a bias; on int8 bias, multiplier and weight zero points. */
  readonly others: readonly (Operand | undefined)[];
  /** Grid of an int8 result. */
  readonly grid?: Quantization;
  /** Extents of the result, where they are not those of the layer. */
  readonly extents?: readonly number[];
}

/** Emits a convolution over `x` (an image or a sequence), and returns its channels-last result. */
export function emitConvolution(layer: LoweredLayer, x: View, convolution: Convolution): View {
  const { node, tail, program } = layer;
  const { geometry, weights, others, grid, groups, extents } = convolution;
  const source = imageOperand(layer, x);
  const { operand, view } = imageResult(layer, grid, extents);
  const step = { name: stepName(node, tail), outputs: [operand] };
  const window = planWindow(convolution.window, source, operand);
  if (grid === undefined) {
    const op = geometry.depthwise ? 'dwconv_f32' : 'conv_f32';
    const params = { window, groups, clamp: floatClamp(tail.bounds) };
    program.emit({ ...step, op, inputs: [source, weights, ...others], params });
  } else {
    const op = geometry.depthwise ? 'dwconv_s8' : 'conv_s8';
    const params = { window, groups, clamp: clampCodes(tail.bounds, grid) };
    // Room for a residual.
    const residual = geometry.depthwise ? [] : [undefined];
    program.emit({ ...step, op, inputs: [source, weights, ...others, ...residual], params });
  }
  return view;
}
