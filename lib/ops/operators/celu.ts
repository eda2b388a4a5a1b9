import { attribute } from '../../ir/attribute';
import type { Node } from '../../ir/graph';
import type { Operator } from '../operator';
import { unary } from '../unary';

/** `x` above zero, `alpha * (exp(x / alpha) - 1)` below: an Elu whose slope has no jump. */
export const celu: Operator = unary({
  op: 'Celu',
  since: 12,
  types: ['float32'],
  attributes: { alpha: { kind: 'float' } },
  of: (node) => {
    const alpha = alphaOf(node);
    return (x) => (x < 0 ? alpha * Math.expm1(x / alpha) : x);
  },
  float: (node) => ({ operation: 'celu', alpha: alphaOf(node) }),
  quantizable: true,
  // exp(x / alpha) = y / alpha + 1
  slope: (f, x, y, node) => f('Where', f('Less', x, 0), f('Add', f('Div', y, alphaOf(node)), 1), 1),
});

function alphaOf(node: Node): number {
  return attribute(node, 'alpha', 'float', 1);
}
