import { attribute } from '../../ir/attribute';
import type { Node } from '../../ir/graph';
import { elementCount } from '../../ir/tensor';
import { convTransposeGradient } from '../conv-transpose-gradient';
import { transposedConvolution } from '../coupling-layers';
import { emptyLike } from '../dense';
import { knownDims, mulDims } from '../dims';
import { dimsOf } from '../gradients';
import { convTransposeLayer } from '../layer-facets';
import type { Dense, Operator } from '../operator';
import { AUTO_PAD, FLOATS, optional, problem, required, typedAs } from '../schema';
import { checkWindow, kernelOf, toWindow, windowTaps } from '../spatial';
import { adjointSpatial, transposedExtents } from '../transposed-extents';

/**
 * ONNX ConvTranspose-11: the adjoint of Conv. `x [N, C, spatial...]`, `w [C, M / group, kernel...]`, bias `[M]`; output
 * extents are `(in - 1) * stride + output_padding + reach - pads`, or those of `output_shape`.
 */
export const convTranspose: Operator = {
  op: 'ConvTranspose',
  domain: '',
  since: 11,
  schema: {
    inputs: [required('X', FLOATS), typedAs(required('W', FLOATS), 'X'), typedAs(optional('B', FLOATS), 'X')],
    outputs: [required('Y', FLOATS)],
    attributes: {
      auto_pad: AUTO_PAD,
      dilations: { kind: 'ints' },
      group: { kind: 'int' },
      kernel_shape: { kind: 'ints' },
      output_padding: { kind: 'ints' },
      output_shape: { kind: 'ints' },
      pads: { kind: 'ints' },
      strides: { kind: 'ints' },
    },
  },
  infer: ({ node, inputs: [x, w, bias] }) => {
    const { type, shape } = x!;
    if (!shape || !w?.shape) return [{ type, shape: undefined }];
    const rank = shape.length - 2;
    if (rank < 1 || w.shape.length !== rank + 2)
      return problem(node, 'shape-mismatch', `expected two inputs of one rank >= 3, found [${shape}] and [${w.shape}]`);
    const [channels, weightChannels] = [shape[1], w.shape[0]];
    if (typeof channels === 'number' && typeof weightChannels === 'number' && channels !== weightChannels)
      return problem(node, 'shape-mismatch', `expected ${weightChannels} input channels, found ${channels}`);
    const group = attribute(node, 'group', 'int', 1);
    if (typeof weightChannels === 'number' && !(weightChannels % group === 0))
      return problem(node, 'shape-mismatch', `expected channels divisible by group ${group}, found ${weightChannels}`);
    const kernel = kernelOf(node, w.shape);
    if (!kernel) return [{ type, shape: undefined }];
    const wrong = checkWindow(node, rank, kernel);
    if (wrong) return problem(node, 'window', wrong);
    const found = w.shape.slice(2);
    if (found.some((extent, axis) => typeof extent === 'number' && extent !== kernel[axis]))
      return problem(node, 'shape-mismatch', `expected a weight with kernel_shape [${kernel}], found [${found}]`);
    for (const name of ['output_padding', 'output_shape']) {
      const given = attribute(node, name, 'ints', kernel);
      if (given.length < rank) return problem(node, 'window', `expected ${rank} of ${name}, found [${given}]`);
    }
    const filters = mulDims(w.shape[1], group);
    if (bias?.shape && (bias.shape.length !== 1 || (typeof filters === 'number' && bias.shape[0] !== filters)))
      return problem(node, 'shape-mismatch', `expected bias [${filters}], found [${bias.shape}]`);
    return [{ type, shape: [shape[0], filters, ...transposedExtents(node, shape.slice(2), kernel)] }];
  },
  evaluate: ([x, w, bias], node) => [scatter(x!, w!, bias, node)],
  gradient: (context) => {
    const [x, w] = context.node.inputs.map((name) => dimsOf(context.emit, name).slice(2));
    return convTransposeGradient(context, adjointSpatial(context.node, x, w));
  },
  coupling: transposedConvolution,
  layer: convTransposeLayer,
  cost: ([x, w]) => {
    const [input, weight] = [x!.shape as readonly number[], w!.shape as readonly number[]];
    return { macs: elementCount(input) * elementCount(weight.slice(1)), elementOps: 0 };
  },
  // With groups, only outputs that read one channel have a scale of their own in ONNX: that of the channel.
  quantization: (node) => ({
    inputs: [
      { role: 'activation' },
      { role: 'weight', axis: attribute(node, 'group', 'int', 1) === 1 ? 1 : 0 },
      { role: 'bias' },
    ],
    output: 'own',
  }),
  lower: ({ node, inputs: [x, w] }) => {
    const [input, weight] = [knownDims(x?.shape), knownDims(w?.shape)];
    if (!input || !weight) return problem(node, 'symbolic-shape', 'expected known shapes');
    if (input.length < 3 || input.length > 5)
      return problem(node, 'rank', `expected one to three spatial axes, found ${input.length - 2}`);
    const window = toWindow(adjointSpatial(node, input.slice(2), weight.slice(2)));
    return { kernel: 'conv-transpose', window, groups: attribute(node, 'group', 'int', 1) };
  },
};

/** Adds every input element times the kernel to the place it came from. */
function scatter(x: Dense, w: Dense, bias: Dense | undefined, node: Node): Dense {
  const [batch, channels] = x.dims;
  const perGroup = w.dims[1];
  const group = attribute(node, 'group', 'int', 1);
  const filters = perGroup * group;
  const spatial = adjointSpatial(node, x.dims.slice(2), w.dims.slice(2));
  const [plane, taps] = [elementCount(spatial.input), elementCount(spatial.kernel)];
  const windows = windowTaps(spatial);
  const sums = new Float64Array(batch * filters * plane);
  if (bias) for (let i = 0; i < sums.length; i++) sums[i] = bias.data[Math.floor(i / plane) % filters];
  for (let n = 0; n < batch; n++)
    for (let c = 0; c < channels; c++) {
      const firstFilter = n * filters + Math.floor(c / (channels / group)) * perGroup;
      windows.forEach((window, position) => {
        const value = x.data[(n * channels + c) * windows.length + position];
        for (let m = 0; m < perGroup; m++)
          for (const tap of window)
            sums[(firstFilter + m) * plane + tap.input] += value * w.data[(c * perGroup + m) * taps + tap.kernel];
      });
    }
  const y = emptyLike(x, [batch, filters, ...spatial.input]);
  y.data.set(sums);
  return y;
}
