import { attribute } from '../../ir/attribute';
import type { Node } from '../../ir/graph';
import type { Operator } from '../operator';
import { unary } from '../unary';

/** `x` above `alpha`, zero elsewhere (for NaN too). */
export const thresholdedRelu: Operator = unary({
  op: 'ThresholdedRelu',
  since: 10,
  attributes: { alpha: { kind: 'float' } },
  of: (node) => {
    const alpha = alphaOf(node);
    return (x) => (x > alpha ? x : 0);
  },
  float: (node) => ({ operation: 'thresholded_relu', alpha: alphaOf(node) }),
  quantizable: true,
  slope: (f, x, _y, node) => f('Where', f('Greater', x, alphaOf(node)), 1, 0),
});

function alphaOf(node: Node): number {
  return attribute(node, 'alpha', 'float', 1);
}
