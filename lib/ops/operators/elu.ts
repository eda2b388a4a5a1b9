import { attribute } from '../../ir/attribute';
import type { Operator } from '../operator';
import { unary } from '../unary';

/** `x` above zero, `alpha * (exp(x) - 1)` below. */
export const elu: Operator = unary({
  op: 'Elu',
  since: 6,
  attributes: { alpha: { kind: 'float' } },
  of: (node) => {
    const alpha = attribute(node, 'alpha', 'float', 1);
    return (x) => (x < 0 ? alpha * Math.expm1(x) : x);
  },
  float: (node) => ({ operation: 'elu', alpha: attribute(node, 'alpha', 'float', 1) }),
  quantizable: true,
  // alpha * exp(x) = y + alpha
  slope: (f, x, y, node) => f('Where', f('Less', x, 0), f('Add', y, attribute(node, 'alpha', 'float', 1)), 1),
});
