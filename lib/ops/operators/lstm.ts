import { attribute } from '../../ir/attribute';
import { LSTM_ACTIVATIONS, lstmGradient } from '../lstm-gradient';
import type { Dense, Operator } from '../operator';
import { type Cell, recurrentOperator } from '../recurrent-operator';

/** ONNX LSTM-14: gates in the order input, output, forget, cell, with peepholes for the first three. See `recurrentOperator`. */
export const lstm: Operator = recurrentOperator({
  op: 'LSTM',
  cell: 'lstm',
  gates: 4,
  states: ['h', 'c'],
  peepholes: 3,
  attributes: { input_forget: { kind: 'int' } },
  activations: LSTM_ACTIVATIONS,
  elementOps: 12,
  step: (cell, node) => {
    const coupled = attribute(node, 'input_forget', 'int', 0) !== 0;
    return (x, [h, c]) => advance(cell, coupled, x, h, c);
  },
  gradient: lstmGradient,
});

/** One step: replaces hidden state `h` and cell state `c`. */
function advance(parts: Cell, coupled: boolean, x: Dense['data'], h: Float64Array, c: Float64Array): void {
  const { hidden, w, r, b, peepholes, bound } = parts;
  const [gate, cell, output] = parts.activations;
  const inputSize = x.length;
  const previous = h.slice();
  for (let unit = 0; unit < hidden; unit++) {
    const before = (which: number): number => {
      const row = which * hidden + unit;
      let sum = b ? b[row] + b[4 * hidden + row] : 0;
      for (let i = 0; i < inputSize; i++) sum += w[row * inputSize + i] * x[i];
      for (let i = 0; i < hidden; i++) sum += r[row * hidden + i] * previous[i];
      return sum;
    };
    const peep = (which: number, state: number) => (peepholes ? peepholes[which * hidden + unit] * state : 0);
    const input = gate(bound(before(0) + peep(0, c[unit])));
    const forget = coupled ? 1 - input : gate(bound(before(2) + peep(2, c[unit])));
    c[unit] = forget * c[unit] + input * cell(bound(before(3)));
    h[unit] = gate(bound(before(1) + peep(1, c[unit]))) * output(c[unit]);
  }
}
