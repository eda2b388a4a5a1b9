import { attribute } from '../../ir/attribute';
import type { Node } from '../../ir/graph';
import type { Operator } from '../operator';
import { unary } from '../unary';

/** `clamp(alpha * x + beta, 0, 1)`. */
export const hardSigmoid: Operator = unary({
  op: 'HardSigmoid',
  traits: ['squashes'],
  since: 6,
  attributes: { alpha: { kind: 'float' }, beta: { kind: 'float' } },
  of: (node) => {
    const { alpha, beta } = lineOf(node);
    return (x) => Math.max(0, Math.min(1, alpha * x + beta));
  },
  float: (node) => ({ operation: 'hard_sigmoid', ...lineOf(node) }),
  quantizable: true,
  slope: (f, _x, y, node) => {
    const inside = f('And', f('Greater', y, 0), f('Less', y, 1));
    return f('Where', inside, lineOf(node).alpha, 0);
  },
});

function lineOf(node: Node): { alpha: number; beta: number } {
  return { alpha: attribute(node, 'alpha', 'float', 0.2), beta: attribute(node, 'beta', 'float', 0.5) };
}
