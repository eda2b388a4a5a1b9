import { attribute } from '../../ir/attribute';
import { elementCount } from '../../ir/tensor';
import { elementCost } from '../cost';
import { emptyLike } from '../dense';
import type { Operator } from '../operator';
import { FLOATS, problem, required } from '../schema';

/**
 * ONNX LRN-13, over `[N, C, ...]`: `x / (bias + alpha / size * sum of the squares of `size` neighbouring channels)^beta`
 * (Krizhevsky et al. 2012, section 3.3).
 */
export const lrn: Operator = {
  op: 'LRN',
  domain: '',
  since: 13,
  schema: {
    inputs: [required('X', FLOATS)],
    outputs: [required('Y', FLOATS)],
    attributes: {
      size: { kind: 'int', required: true },
      alpha: { kind: 'float' },
      beta: { kind: 'float' },
      bias: { kind: 'float' },
    },
  },
  infer: ({ node, inputs: [x] }) => {
    const { type, shape } = x!;
    const size = attribute(node, 'size', 'int', 1);
    if (size < 1) return problem(node, 'bad-attribute', `expected a size of at least 1, found ${size}`);
    if (shape && shape.length < 2) return problem(node, 'shape-mismatch', `expected channels, found [${shape}]`);
    return [{ type, shape }];
  },
  evaluate: ([x], node) => {
    const { size, alpha, beta, bias } = parametersOf(node);
    const [channels, plane] = [x!.dims[1], elementCount(x!.dims.slice(2))];
    const y = emptyLike(x!, x!.dims);
    for (let i = 0; i < y.data.length; i++) {
      const channel = Math.floor(i / plane) % channels;
      const first = channel - Math.floor((size - 1) / 2);
      let sum = 0;
      for (let c = Math.max(first, 0); c < Math.min(first + size, channels); c++)
        sum += x!.data[i + (c - channel) * plane] ** 2;
      y.data[i] = x!.data[i] / (bias + (alpha / size) * sum) ** beta;
    }
    return [y];
  },
  cost: (inputs, outputs, node) => elementCost(inputs, outputs, node, 5 + attribute(node, 'size', 'int', 1)),
  quantization: { inputs: [{ role: 'none' }], output: 'float' },
  lower: ({ node }) => ({ kernel: 'local-response', ...parametersOf(node) }),
};

function parametersOf(node: Parameters<typeof attribute>[0]): {
  size: number;
  alpha: number;
  beta: number;
  bias: number;
} {
  return {
    size: attribute(node, 'size', 'int', 1),
    alpha: attribute(node, 'alpha', 'float', 1e-4),
    beta: attribute(node, 'beta', 'float', 0.75),
    bias: attribute(node, 'bias', 'float', 1),
  };
}
