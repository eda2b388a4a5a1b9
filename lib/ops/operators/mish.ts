import type { Operator } from '../operator';
import { unary } from '../unary';

/** `x * tanh(ln(1 + exp(x)))` (Misra 2019). */
export const mish: Operator = unary({
  op: 'Mish',
  since: 18,
  of: () => (x) => x * Math.tanh(Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  float: 'mish',
  quantizable: true,
  // With t = tanh(softplus(x)): t + x * (1 - t^2) * sigmoid(x)
  slope: (f, x) => {
    const t = f('Tanh', f('Softplus', x));
    const bend = f('Mul', f('Mul', x, f('Sigmoid', x)), f('Sub', 1, f('Mul', t, t)));
    return f('Add', t, bend);
  },
});
