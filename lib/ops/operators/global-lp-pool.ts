import { attribute } from '../../ir/attribute';
import { elementCount } from '../../ir/tensor';
import { pooling } from '../coupling';
import { inferGlobalPool, lowerGlobalPool, reducePlanes } from '../global-pool';
import type { Operator } from '../operator';
import { FLOATS, required } from '../schema';

/** ONNX GlobalLpPool-2: the p-norm over all spatial axes. */
export const globalLpPool: Operator = {
  op: 'GlobalLpPool',
  traits: ['homogeneous'],
  domain: '',
  since: 2,
  schema: { inputs: [required('X', FLOATS)], outputs: [required('Y', FLOATS)], attributes: { p: { kind: 'int' } } },
  infer: inferGlobalPool,
  evaluate: ([x], node) => {
    const power = attribute(node, 'p', 'int', 2);
    return [
      reducePlanes(x!, (plane) => {
        let sum = 0;
        for (const value of plane) sum += Math.abs(value) ** power;
        return sum ** (1 / power);
      }),
    ];
  },
  coupling: pooling,
  cost: ([x]) => ({ macs: 0, elementOps: elementCount(x!.shape as readonly number[]) }),
  quantization: { inputs: [{ role: 'none' }], output: 'float' },
  lower: (context) => {
    const window = lowerGlobalPool(context);
    return 'kind' in window ? window : { kernel: 'lp-pool', window, power: attribute(context.node, 'p', 'int', 2) };
  },
};
