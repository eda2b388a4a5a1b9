import { elementCount, tensorOf } from '../ir/tensor';
import type { ConvLayer } from './conv-gradient-context';
import { reshapeTo, transposeTo } from './gradients';
import { windowTaps } from './spatial';

/** Pairs of output and input positions up to which matrices between whole planes are quicker than windows. */
const MAX_POSITION_PAIRS = 128 * 128;

/**
 * Whether a layer convolves every channel alone over a plane so small that its convolution is best seen as a matrix between
 * planes, `[outputs, inputs]` per channel: onnxruntime spends 4 to 8 ns per position on a depthwise window, but 1/45 ns on a
 * product of matrices. Measured with 3x3 windows: 2.4 to 0.6 ms for both gradients at 6x6, 6.7 to 4.1 ms at 25x5.
 */
export function hasSmallPlanes({ group, xDims, wDims, spatial }: ConvLayer): boolean {
  const pairs = elementCount(spatial.input) * elementCount(spatial.output);
  return group > 1 && group === xDims[1] && group === wDims[0] && pairs <= MAX_POSITION_PAIRS;
}

/** dX of a layer with small planes: dY, channel by channel, times the matrix that the weights make. */
export function smallPlanesInputGradient(layer: ConvLayer, w: string, dy: string): string {
  const { emit, xDims, wDims, spatial } = layer;
  const [batch, channels] = xDims;
  const [inputs, outputs, taps] = [spatial.input, spatial.output, wDims.slice(2)].map(elementCount);
  const matrices = emit.node('MatMul', [reshapeTo(emit, w, [channels, taps]), membership(layer)]);
  const planes = transposeTo(emit, reshapeTo(emit, dy, [batch, channels, outputs]), [1, 0, 2]);
  const product = emit.node('MatMul', [planes, reshapeTo(emit, matrices, [channels, outputs, inputs])]);
  return reshapeTo(emit, transposeTo(emit, product, [1, 0, 2]), xDims);
}

/** dW of a layer with small planes: the gradient of its matrices, summed over the places where each weight stands. */
export function smallPlanesWeightGradient(layer: ConvLayer, x: string, dy: string): string {
  const { emit, xDims, wDims, spatial } = layer;
  const [batch, channels] = xDims;
  const [inputs, outputs] = [spatial.input, spatial.output].map(elementCount);
  const right = transposeTo(emit, reshapeTo(emit, x, [batch, channels, inputs]), [1, 0, 2]);
  const left = transposeTo(emit, reshapeTo(emit, dy, [batch, channels, outputs]), [1, 2, 0]);
  const matrices = reshapeTo(emit, emit.node('MatMul', [left, right]), [channels, outputs * inputs]);
  return reshapeTo(emit, emit.node('Gemm', [matrices, membership(layer)], { transB: 1 }), wDims);
}

/** `[taps, outputs * inputs]`: 1 where the tap leads from that output to that input, else 0. */
function membership({ emit, wDims, spatial }: ConvLayer): string {
  const [inputs, outputs, taps] = [spatial.input, spatial.output, wDims.slice(2)].map(elementCount);
  const members = new Float32Array(taps * outputs * inputs);
  windowTaps(spatial).forEach((window, output) => {
    for (const { kernel, input } of window) members[(kernel * outputs + output) * inputs + input] = 1;
  });
  return emit.constant(tensorOf('float32', [taps, outputs * inputs], members));
}
