import { elementCount } from '../../ir/tensor';
import { pooling } from '../coupling';
import { inferGlobalPool, lowerGlobalPool, reducePlanes } from '../global-pool';
import { dimsOf, floats, int64s } from '../gradients';
import type { Operator } from '../operator';
import { FLOATS, required } from '../schema';

/** ONNX GlobalAveragePool-1: mean over all spatial axes. */
export const globalAveragePool: Operator = {
  op: 'GlobalAveragePool',
  traits: ['averages', 'homogeneous'],
  domain: '',
  since: 1,
  schema: { inputs: [required('X', FLOATS)], outputs: [required('Y', FLOATS)], attributes: {} },
  infer: inferGlobalPool,
  evaluate: ([x]) => [
    reducePlanes(x!, (plane) => {
      let sum = 0;
      for (const value of plane) sum += value;
      return sum / plane.length;
    }),
  ],
  gradient: ({ node, emit, outputGradients }) => {
    const dims = dimsOf(emit, node.inputs[0]);
    const share = emit.node('Mul', [outputGradients[0]!, floats(emit, [1 / elementCount(dims.slice(2))])]);
    return [emit.node('Expand', [share, int64s(emit, dims)])];
  },
  coupling: pooling,
  cost: ([x]) => ({ macs: 0, elementOps: elementCount(x!.shape as readonly number[]) }),
  quantization: { inputs: [{ role: 'activation' }], output: 'own' },
  lower: (context) => {
    const window = lowerGlobalPool(context);
    return 'kind' in window ? window : { kernel: 'average-pool', window, countIncludePad: false, global: true };
  },
};
