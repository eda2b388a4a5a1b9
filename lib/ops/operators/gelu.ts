import { attribute } from '../../ir/attribute';
import type { Node } from '../../ir/graph';
import { errorFunction } from '../erf-function';
import type { Formula } from '../gradients';
import type { Operator } from '../operator';
import { oneOf } from '../schema';
import { unary } from '../unary';

function geluByTanh(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}

/** `x * Phi(x)` with the standard normal distribution function Phi (Hendrycks and Gimpel 2016), exact or by tanh. */
export const gelu: Operator = unary({
  op: 'Gelu',
  since: 20,
  attributes: { approximate: oneOf('none', 'tanh') },
  of: (node) => {
    return isByTanh(node) ? geluByTanh : (x) => 0.5 * x * (1 + errorFunction(x * Math.SQRT1_2));
  },
  float: (node) => ({ operation: isByTanh(node) ? 'gelu_tanh' : 'gelu' }),
  quantizable: true,
  slope: (f, x, _y, node) => (isByTanh(node) ? slopeByTanh(f, x) : slopeByErf(f, x)),
});

function isByTanh(node: Node): boolean {
  return attribute(node, 'approximate', 'string', 'none') === 'tanh';
}

/** Phi(x) + x * phi(x), with the density phi. */
function slopeByErf(f: Formula, x: string): string {
  const distribution = f('Mul', f('Add', f('Erf', f('Mul', x, Math.SQRT1_2)), 1), 0.5);
  const density = f('Mul', f('Exp', f('Mul', f('Mul', x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return f('Add', distribution, f('Mul', x, density));
}

/** With t = tanh(u) and u = c * (x + k * x^3): (1 + t) / 2 + x / 2 * (1 - t^2) * c * (1 + 3 * k * x^2). */
function slopeByTanh(f: Formula, x: string): string {
  const c = Math.sqrt(2 / Math.PI);
  const square = f('Mul', x, x);
  const t = f('Tanh', f('Mul', x, f('Add', f('Mul', square, c * 0.044715), c)));
  const inner = f('Mul', x, f('Add', f('Mul', square, (3 * c * 0.044715) / 2), c / 2));
  const bend = f('Mul', f('Sub', 1, f('Mul', t, t)), inner);
  return f('Add', f('Mul', f('Add', t, 1), 0.5), bend);
}
