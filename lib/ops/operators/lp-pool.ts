import { attribute } from '../../ir/attribute';
import { elementCount } from '../../ir/tensor';
import { pooling } from '../coupling';
import { emptyLike } from '../dense';
import type { Operator } from '../operator';
import { inferPool, lowerPool, POOL_ATTRIBUTES, poolCost, poolSpatial } from '../pooling';
import { FLOATS, required } from '../schema';
import { toWindow, windowTaps } from '../spatial';

/** ONNX LpPool-18: the p-norm of a window, `(sum |x|^p)^(1/p)`. */
export const lpPool: Operator = {
  op: 'LpPool',
  traits: ['homogeneous'],
  domain: '',
  since: 18,
  schema: {
    inputs: [required('X', FLOATS)],
    outputs: [required('Y', FLOATS)],
    attributes: { ...POOL_ATTRIBUTES, p: { kind: 'int' } },
  },
  infer: ({ node, inputs: [x] }) => {
    if (!x) return [];
    const shape = inferPool(node, x);
    return shape && 'kind' in shape ? shape : [{ type: x.type, shape }];
  },
  evaluate: ([input], node) => {
    const x = input!;
    const power = attribute(node, 'p', 'int', 2);
    const spatial = poolSpatial(node, x.dims);
    const y = emptyLike(x, [x.dims[0], x.dims[1], ...spatial.output]);
    const plane = elementCount(spatial.input);
    const windows = windowTaps(spatial);
    for (let channel = 0, out = 0; channel < x.dims[0] * x.dims[1]; channel++)
      for (const window of windows) {
        let sum = 0;
        for (const tap of window) sum += Math.abs(x.data[channel * plane + tap.input]) ** power;
        y.data[out++] = sum ** (1 / power);
      }
    return [y];
  },
  coupling: pooling,
  cost: (_, [y], node) => poolCost(node, y!),
  quantization: { inputs: [{ role: 'none' }], output: 'float' },
  lower: ({ node, inputs: [x] }) => {
    const spatial = lowerPool(node, x);
    if ('kind' in spatial) return spatial;
    return { kernel: 'lp-pool', window: toWindow(spatial), power: attribute(node, 'p', 'int', 2) };
  },
};
