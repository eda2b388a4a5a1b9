import { attribute } from '../../ir/attribute';
import type { Node } from '../../ir/graph';
import { elementCount } from '../../ir/tensor';
import { convGradient } from '../conv-gradient';
import { convolution } from '../coupling-layers';
import { emptyLike } from '../dense';
import { knownDims } from '../dims';
import { convLayer } from '../layer-facets';
import type { Dense, Operator } from '../operator';
import { AUTO_PAD, FLOATS, optional, problem, required, typedAs } from '../schema';
import { checkWindow, inferSpatial, kernelOf, resolveSpatial, toWindow, windowTaps } from '../spatial';

/** ONNX Conv-11: cross-correlation of `x [N, C, spatial...]` with `w [M, C / group, kernel...]`, plus bias `[M]`. */
export const conv: Operator = {
  op: 'Conv',
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
      pads: { kind: 'ints' },
      strides: { kind: 'ints' },
    },
  },
  infer: ({ node, inputs: [x, w, bias] }) => {
    if (!x) return [];
    if (!x.shape || !w?.shape) return [{ type: x.type, shape: undefined }];
    const rank = x.shape.length - 2;
    if (rank < 1 || w.shape.length !== rank + 2)
      return problem(
        node,
        'shape-mismatch',
        `expected input and weight of one rank >= 3, found [${x.shape}] and [${w.shape}]`,
      );
    const group = attribute(node, 'group', 'int', 1);
    const [channels, perGroup, filters] = [x.shape[1], w.shape[1], w.shape[0]];
    if (typeof channels === 'number' && typeof perGroup === 'number' && channels !== perGroup * group)
      return problem(
        node,
        'shape-mismatch',
        `expected ${perGroup * group} input channels (weight [${w.shape}], group ${group}), found ${channels}`,
      );
    if (typeof filters === 'number' && filters % group !== 0)
      return problem(node, 'shape-mismatch', `expected filters divisible by group ${group}, found ${filters}`);
    const kernel = kernelOf(node, w.shape);
    if (!kernel) return [{ type: x.type, shape: undefined }];
    const wrong = checkWindow(node, rank, kernel);
    if (wrong) return problem(node, 'window', wrong);
    const found = w.shape.slice(2);
    if (found.some((extent, axis) => typeof extent === 'number' && extent !== kernel[axis]))
      return problem(node, 'shape-mismatch', `expected a weight with kernel_shape [${kernel}], found [${found}]`);
    if (bias?.shape && (bias.shape.length !== 1 || (typeof filters === 'number' && bias.shape[0] !== filters)))
      return problem(node, 'shape-mismatch', `expected bias [${filters}], found [${bias.shape}]`);
    const spatial = inferSpatial(node, x.shape.slice(2), kernel);
    if (spatial.some((extent) => typeof extent === 'number' && extent < 0))
      return problem(node, 'window', `the kernel [${kernel}] does not fit into the input [${x.shape}]`);
    return [{ type: x.type, shape: [x.shape[0], filters, ...spatial] }];
  },
  evaluate: ([x, w, bias], node) => [convolve(x!, w!, bias, node)],
  gradient: convGradient,
  coupling: convolution,
  layer: convLayer,
  cost: ([, w], [y]) => {
    const [weight, output] = [w!.shape as readonly number[], y!.shape as readonly number[]];
    return { macs: elementCount(output) * elementCount(weight.slice(1)), elementOps: 0 };
  },
  quantization: {
    inputs: [{ role: 'activation' }, { role: 'weight', axis: 0 }, { role: 'bias' }],
    output: 'own',
  },
  lower: ({ node, inputs: [x, w] }) => {
    const [input, weight] = [knownDims(x?.shape), knownDims(w?.shape)];
    if (!input || !weight) return problem(node, 'symbolic-shape', 'expected known shapes');
    if (input.length < 3 || input.length > 5)
      return problem(node, 'rank', `expected one to three spatial axes, found ${input.length - 2}`);
    const window = toWindow(resolveSpatial(node, input.slice(2), weight.slice(2)));
    return { kernel: 'conv', window, groups: attribute(node, 'group', 'int', 1) };
  },
};

/** Value of a convolution node; sums are taken in double precision and rounded once. */
export function convolve(x: Dense, w: Dense, bias: Dense | undefined, node: Node): Dense {
  const [batch, channels] = x.dims;
  const [filters, perGroup] = w.dims;
  const filtersPerGroup = filters / (channels / perGroup);
  const spatial = resolveSpatial(node, x.dims.slice(2), w.dims.slice(2));
  const y = emptyLike(x, [batch, filters, ...spatial.output]);
  const windows = windowTaps(spatial);
  const plane = elementCount(spatial.input);
  const taps = elementCount(spatial.kernel);
  let out = 0;
  for (let n = 0; n < batch; n++)
    for (let m = 0; m < filters; m++) {
      const firstChannel = n * channels + Math.floor(m / filtersPerGroup) * perGroup;
      for (const window of windows) {
        let sum = bias ? bias.data[m] : 0;
        for (let c = 0; c < perGroup; c++) {
          const [xBase, wBase] = [(firstChannel + c) * plane, (m * perGroup + c) * taps];
          for (const tap of window) sum += x.data[xBase + tap.input] * w.data[wBase + tap.kernel];
        }
        y.data[out++] = sum;
      }
    }
  return y;
}
