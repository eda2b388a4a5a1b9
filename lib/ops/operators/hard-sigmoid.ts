import { attribute } from '../../ir/attribute';
import type { Operator } from '../operator';
import { unary } from '../unary';

/** `clamp(alpha * x + beta, 0, 1)`. */
export const hardSigmoid: Operator = unary({
  op: 'HardSigmoid',
  traits: ['squashes'],
  since: 6,
  attributes: { alpha: { kind: 'float' }, beta: { kind: 'float' } },
  of: (node) => {
    const alpha = attribute(node, 'alpha', 'float', 0.2);
    const beta = attribute(node, 'beta', 'float', 0.5);
    return (x) => Math.max(0, Math.min(1, alpha * x + beta));
  },
  quantizable: true,
  slope: (f, _x, y, node) => {
    const inside = f('And', f('Greater', y, 0), f('Less', y, 1));
    return f('Where', inside, attribute(node, 'alpha', 'float', 0.2), 0);
  },
});
