import { attribute } from '../../ir/attribute';
import { GRU_ACTIVATIONS, gruGradient } from '../gru-gradient';
import type { Dense, Operator } from '../operator';
import { type Cell, recurrentOperator } from '../recurrent-operator';

/**
 * ONNX GRU-14: gates in the order update, reset, candidate. With linear_before_reset the reset gate scales the candidate's
 * recurrent product, otherwise the state before the product. See `recurrentOperator`.
 */
export const gru: Operator = recurrentOperator({
  op: 'GRU',
  cell: 'gru',
  gates: 3,
  states: ['h'],
  attributes: { linear_before_reset: { kind: 'int' } },
  activations: GRU_ACTIVATIONS,
  elementOps: 10,
  step: (cell, node) => {
    const linear = attribute(node, 'linear_before_reset', 'int', 0) !== 0;
    return (x, [h]) => advance(cell, linear, x, h);
  },
  gradient: gruGradient,
});

/** One step: replaces the hidden state `h`. */
function advance(cell: Cell, linearBeforeReset: boolean, x: Dense['data'], h: Float64Array): void {
  const { hidden, w, r, b, bound } = cell;
  const [activation, ofCandidate] = cell.activations;
  const product = (weights: Dense['data'], row: number, by: ArrayLike<number>): number => {
    let sum = 0;
    for (let i = 0; i < by.length; i++) sum += weights[row * by.length + i] * by[i];
    return sum;
  };
  const fromInput = (row: number) => product(w, row, x) + (b ? b[row] : 0);
  const fromState = (row: number, state: Float64Array) => product(r, row, state) + (b ? b[3 * hidden + row] : 0);
  const gate = (first: number) =>
    Float64Array.from(h, (_, unit) => activation(bound(fromInput(first + unit) + fromState(first + unit, h))));
  const [update, reset] = [gate(0), gate(hidden)];
  const scaled = h.map((value, unit) => value * reset[unit]);
  const candidates = h.map((_, unit) => {
    const row = 2 * hidden + unit;
    const recurrent = linearBeforeReset ? reset[unit] * fromState(row, h) : fromState(row, scaled);
    return ofCandidate(bound(fromInput(row) + recurrent));
  });
  for (let unit = 0; unit < hidden; unit++) h[unit] = (1 - update[unit]) * candidates[unit] + update[unit] * h[unit];
}
