import type { Dense, Operator } from '../operator';
import { type Cell, recurrentOperator } from '../recurrent-operator';

/** ONNX RNN-14: one gate, which is the new state. See `recurrentOperator`. */
export const rnn: Operator = recurrentOperator({
  op: 'RNN',
  cell: 'rnn',
  gates: 1,
  states: ['h'],
  attributes: {},
  activations: ['Tanh'],
  elementOps: 2,
  step:
    (cell) =>
    (x, [h]) =>
      advance(cell, x, h),
});

/** One step: replaces the hidden state `h`. */
function advance({ hidden, w, r, b, activations: [activation], bound }: Cell, x: Dense['data'], h: Float64Array): void {
  const previous = h.slice();
  for (let unit = 0; unit < hidden; unit++) {
    let sum = b ? b[unit] + b[hidden + unit] : 0;
    for (let i = 0; i < x.length; i++) sum += w[unit * x.length + i] * x[i];
    for (let i = 0; i < hidden; i++) sum += r[unit * hidden + i] * previous[i];
    h[unit] = activation(bound(sum));
  }
}
