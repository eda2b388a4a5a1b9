import { attribute } from '../../ir/attribute';
import type { Node } from '../../ir/graph';
import type { Operator } from '../operator';
import { unary } from '../unary';

/** Elements beyond `lambd` moved by `bias` towards zero, the others (NaN too) zero: soft and hard shrinkage. */
export const shrink: Operator = unary({
  op: 'Shrink',
  since: 9,
  attributes: { bias: { kind: 'float' }, lambd: { kind: 'float' } },
  of: (node) => {
    const { lambda, bias } = partsOf(node);
    return (x) => (x < -lambda ? x + bias : x > lambda ? x - bias : 0);
  },
  float: (node) => ({ operation: 'shrink', alpha: partsOf(node).lambda, beta: partsOf(node).bias }),
  quantizable: true,
  slope: (f, x, _y, node) => {
    const { lambda } = partsOf(node);
    return f('Where', f('Less', x, -lambda), 1, f('Where', f('Greater', x, lambda), 1, 0));
  },
});

function partsOf(node: Node): { lambda: number; bias: number } {
  return { lambda: attribute(node, 'lambd', 'float', 0.5), bias: attribute(node, 'bias', 'float', 0) };
}
