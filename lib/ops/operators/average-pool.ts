import { attribute } from '../../ir/attribute';
import { elementCount } from '../../ir/tensor';
import { pooling } from '../coupling';
import { emptyLike } from '../dense';
import type { Operator } from '../operator';
import { inferPool, lowerPool, POOL_ATTRIBUTES, poolCost, poolSpatial } from '../pooling';
import { averagePoolGradient, windowCounts } from '../pooling-gradient';
import { FLOATS, required } from '../schema';
import { dilatedExtent, toWindow, windowTaps } from '../spatial';

/** ONNX AveragePool-19: mean over a window, of the elements inside the input or (count_include_pad) input and padding. */
export const averagePool: Operator = {
  op: 'AveragePool',
  traits: ['averages', 'homogeneous'],
  domain: '',
  since: 19,
  schema: {
    inputs: [required('X', FLOATS)],
    outputs: [required('Y', FLOATS)],
    attributes: { ...POOL_ATTRIBUTES, count_include_pad: { kind: 'int' } },
  },
  infer: ({ node, inputs: [x] }) => {
    if (!x) return [];
    const shape = inferPool(node, x);
    return shape && 'kind' in shape ? shape : [{ type: x.type, shape }];
  },
  evaluate: ([input], node) => {
    const x = input!;
    const spatial = poolSpatial(node, x.dims);
    const counts = windowCounts(spatial, attribute(node, 'count_include_pad', 'int', 0) !== 0);
    const y = emptyLike(x, [x.dims[0], x.dims[1], ...spatial.output]);
    const plane = elementCount(spatial.input);
    const windows = windowTaps(spatial);
    for (let channel = 0, out = 0; channel < x.dims[0] * x.dims[1]; channel++)
      windows.forEach((window, position) => {
        let sum = 0;
        for (const tap of window) sum += x.data[channel * plane + tap.input];
        y.data[out++] = sum / counts[position];
      });
    return [y];
  },
  gradient: averagePoolGradient,
  coupling: pooling,
  cost: (_, [y], node) => poolCost(node, y!),
  quantization: { inputs: [{ role: 'activation' }], output: 'own' },
  lower: ({ node, inputs: [x] }) => {
    const spatial = lowerPool(node, x);
    if ('kind' in spatial) return spatial;
    const countIncludePad = attribute(node, 'count_include_pad', 'int', 0) !== 0;
    const { input, output, kernel, strides, dilations, padsBegin, padsEnd } = spatial;
    const beyond = output.some((count, axis) => {
      const reach = (count - 1) * strides[axis] + dilatedExtent(kernel[axis], dilations[axis]);
      return reach > padsBegin[axis] + input[axis] + padsEnd[axis];
    });
    if (!countIncludePad || !beyond)
      return { kernel: 'average-pool', window: toWindow(spatial), countIncludePad, global: false };
    // What lies beyond the padding does not count: the padding becomes elements, and nothing else is counted.
    const inner = { ...spatial, input: input.map((extent, axis) => padsBegin[axis] + extent + padsEnd[axis]) };
    const window = toWindow({ ...inner, padsBegin: input.map(() => 0) });
    const around = [...padsBegin, ...padsEnd];
    return { kernel: 'average-pool', window, countIncludePad: false, global: false, around };
  },
};
