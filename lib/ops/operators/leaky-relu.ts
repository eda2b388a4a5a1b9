import { attribute } from '../../ir/attribute';
import type { Operator } from '../operator';
import { unary } from '../unary';

/** `x` above zero, `alpha * x` below. */
export const leakyRelu: Operator = unary({
  op: 'LeakyRelu',
  traits: ['homogeneous'],
  since: 16,
  attributes: { alpha: { kind: 'float' } },
  of: (node) => {
    const alpha = attribute(node, 'alpha', 'float', 0.01);
    return (x) => (x < 0 ? alpha * x : x);
  },
  float: (node) => ({ operation: 'leaky_relu', alpha: attribute(node, 'alpha', 'float', 0.01) }),
  quantizable: true,
  // The mask comes from the output where that has the input's sign, so that the executor may fuse the layer before it.
  slope: (f, x, y, node) => {
    const alpha = attribute(node, 'alpha', 'float', 0.01);
    return f('Where', f('Less', alpha > 0 ? y : x, 0), alpha, 1);
  },
});
