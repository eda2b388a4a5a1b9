import { attribute } from '../ir/attribute';
import { erf } from './erf-function';
import type { Operator } from './operator';
import { unary } from './unary';

function geluByTanh(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}

/** `x * Phi(x)` with the standard normal distribution function Phi (Hendrycks and Gimpel 2016), exact or by tanh. */
export const gelu: Operator = unary({
  op: 'Gelu',
  since: 20,
  attributes: { approximate: { kind: 'string' } },
  of: (node) => {
    const tanh = attribute(node, 'approximate', 'string', 'none') === 'tanh';
    return tanh ? geluByTanh : (x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2));
  },
  quantizable: true,
});
