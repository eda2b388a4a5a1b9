import { attribute } from '../../ir/attribute';
import type { Node } from '../../ir/graph';
import type { Operator } from '../operator';
import { unary } from '../unary';

/** `gamma * x` above zero, `gamma * alpha * (exp(x) - 1)` below (Klambauer et al. 2017). */
export const selu: Operator = unary({
  op: 'Selu',
  since: 6,
  attributes: { alpha: { kind: 'float' }, gamma: { kind: 'float' } },
  of: (node) => {
    const { alpha, gamma } = constantsOf(node);
    return (x) => gamma * (x > 0 ? x : alpha * Math.expm1(x));
  },
  float: (node) => {
    const { alpha, gamma } = constantsOf(node);
    return { operation: 'selu', alpha, beta: gamma };
  },
  quantizable: true,
  // gamma * alpha * exp(x) = y + gamma * alpha
  slope: (f, x, y, node) => {
    const { alpha, gamma } = constantsOf(node);
    return f('Where', f('Greater', x, 0), gamma, f('Add', y, gamma * alpha));
  },
});

function constantsOf(node: Node): { alpha: number; gamma: number } {
  return {
    alpha: attribute(node, 'alpha', 'float', 1.6732632423543772),
    gamma: attribute(node, 'gamma', 'float', 1.0507009873554805),
  };
}
