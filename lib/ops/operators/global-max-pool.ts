import { elementCount } from '../../ir/tensor';
import { pooling } from '../coupling';
import { toExtremes } from '../extreme-gradient';
import { inferGlobalPool, lowerGlobalPool, reducePlanes } from '../global-pool';
import { dimsOf, int64s } from '../gradients';
import type { Operator } from '../operator';
import { FLOATS, required } from '../schema';

/** ONNX GlobalMaxPool-1: maximum over all spatial axes. */
export const globalMaxPool: Operator = {
  op: 'GlobalMaxPool',
  traits: ['homogeneous'],
  domain: '',
  since: 1,
  schema: { inputs: [required('X', FLOATS)], outputs: [required('Y', FLOATS)], attributes: {} },
  infer: inferGlobalPool,
  evaluate: ([x]) => [
    reducePlanes(x!, (plane) => {
      let best = Number.NEGATIVE_INFINITY;
      for (const value of plane) if (value > best) best = value;
      return best;
    }),
  ],
  gradient: ({ node, emit, outputGradients }) => {
    const x = node.inputs[0];
    const axes = int64s(
      emit,
      dimsOf(emit, x).flatMap((_, axis) => (axis < 2 ? [] : [axis])),
    );
    return [toExtremes(emit, x, node.outputs[0], outputGradients[0]!, [axes])];
  },
  coupling: pooling,
  cost: ([x]) => ({ macs: 0, elementOps: elementCount(x!.shape as readonly number[]) }),
  quantization: { inputs: [{ role: 'activation' }], output: 'same' },
  lower: (context) => {
    const window = lowerGlobalPool(context);
    return 'kind' in window ? window : { kernel: 'max-pool', window };
  },
};
