import { attribute } from '../../ir/attribute';
import { elementCount } from '../../ir/tensor';
import { pooling } from '../coupling';
import { emptyDense, emptyLike } from '../dense';
import type { Operator } from '../operator';
import { inferPool, lowerPool, POOL_ATTRIBUTES, poolCost, poolSpatial } from '../pooling';
import { maxPoolGradient } from '../pooling-gradient';
import { FLOATS, optional, problem, required } from '../schema';
import { toWindow, windowTaps } from '../spatial';

/** ONNX MaxPool-12: maximum over a window; padding never wins. `Indices` are flat positions in the whole input. */
export const maxPool: Operator = {
  op: 'MaxPool',
  traits: ['homogeneous'],
  domain: '',
  since: 12,
  schema: {
    inputs: [required('X', [...FLOATS, 'int8', 'uint8'])],
    outputs: [required('Y', [...FLOATS, 'int8', 'uint8']), optional('Indices', ['int64'])],
    attributes: { ...POOL_ATTRIBUTES, storage_order: { kind: 'int' } },
  },
  infer: ({ node, inputs: [x] }) => {
    if (!x) return [];
    const shape = inferPool(node, x);
    if (shape && 'kind' in shape) return shape;
    return [
      { type: x.type, shape },
      { type: 'int64', shape },
    ];
  },
  evaluate: ([input], node, precision) => {
    const x = input!;
    const spatial = poolSpatial(node, x.dims);
    const dims = [x.dims[0], x.dims[1], ...spatial.output];
    const [y, indices] = [emptyLike(x, dims), emptyDense('int64', dims, precision)];
    const columnMajor = attribute(node, 'storage_order', 'int', 0) === 1;
    const plane = elementCount(spatial.input);
    const windows = windowTaps(spatial);
    for (let channel = 0, out = 0; channel < dims[0] * dims[1]; channel++)
      for (const window of windows) {
        let [best, maximum] = [0, Number.NEGATIVE_INFINITY];
        for (const tap of window) {
          const value = x.data[channel * plane + tap.input];
          if (value > maximum) [best, maximum] = [tap.input, value];
        }
        y.data[out] = maximum;
        indices.data[out++] = channel * plane + (columnMajor ? toColumnMajor(best, spatial.input) : best);
      }
    return [y, indices];
  },
  gradient: maxPoolGradient,
  coupling: pooling,
  cost: (_, [y], node) => poolCost(node, y!),
  quantization: { inputs: [{ role: 'activation' }], output: 'same' },
  lower: ({ node, inputs: [x] }) => {
    if (node.outputs[1]) return problem(node, 'output', 'the Indices output has no kernel');
    const spatial = lowerPool(node, x);
    return 'kind' in spatial ? spatial : { kernel: 'max-pool', window: toWindow(spatial) };
  },
};

/** The row-major position `flat` of a plane, counted with the first axis fastest. */
function toColumnMajor(flat: number, extents: readonly number[]): number {
  let [rest, result] = [flat, 0];
  for (let axis = extents.length - 1; axis >= 0; axis--) {
    result = result * extents[axis] + (rest % extents[axis]);
    rest = Math.floor(rest / extents[axis]);
  }
  return result;
}
