import { attribute } from '../../ir/attribute';
import type { Node } from '../../ir/graph';
import { recurrent } from '../coupling-layers';
import { recurrentLayer } from '../layer-facets';
import { LSTM_ACTIVATIONS, lstmGradient } from '../lstm-gradient';
import type { Dense, Operator } from '../operator';
import {
  activationsOf,
  clipOf,
  directionPart,
  evaluateRecurrent,
  inferRecurrent,
  RECURRENT_ATTRIBUTES,
} from '../recurrent';
import { FLOATS, optional, required } from '../schema';

/**
 * ONNX LSTM-14. Inputs X `[T, N, I]`, W `[D, 4H, I]`, R `[D, 4H, H]`, B `[D, 8H]`, lengths `[N]`, initial h and c
 * `[D, N, H]`, peepholes `[D, 3H]`; outputs Y `[T, D, N, H]`, Y_h and Y_c `[D, N, H]`. Gates stand in the order input,
 * output, forget, cell. With layout=1 the batch is the first axis of X, Y and the states.
 */
export const lstm: Operator = {
  op: 'LSTM',
  domain: '',
  since: 14,
  schema: {
    inputs: [
      required('X', FLOATS),
      required('W', FLOATS),
      required('R', FLOATS),
      optional('B', FLOATS),
      optional('sequence_lens', ['int32']),
      optional('initial_h', FLOATS),
      optional('initial_c', FLOATS),
      optional('P', FLOATS),
    ],
    outputs: [optional('Y', FLOATS), optional('Y_h', FLOATS), optional('Y_c', FLOATS)],
    attributes: { ...RECURRENT_ATTRIBUTES, input_forget: { kind: 'int' } },
  },
  infer: (context) => inferRecurrent(context, 2),
  evaluate: (inputs, node) =>
    evaluateRecurrent(inputs, node, [inputs[5], inputs[6]], (d) => {
      const cell = cellOf(inputs, node, d);
      return (x, [h, c]) => advance(cell, x, h, c);
    }),
  gradient: lstmGradient,
  coupling: recurrent,
  layer: recurrentLayer,
  cost: ([x, , r]) => {
    const [a, b, inputSize] = x!.shape as readonly number[];
    const [directions, , hidden] = r!.shape as readonly number[];
    const cells = a * b * directions * hidden;
    return { macs: 4 * cells * (inputSize + hidden), elementOps: 12 * cells };
  },
};

/** Weights of one direction as plain slices. */
interface Cell {
  readonly w: Dense['data'];
  readonly r: Dense['data'];
  readonly b: Dense['data'] | undefined;
  readonly peepholes: Dense['data'] | undefined;
  readonly gate: (x: number) => number;
  readonly cell: (x: number) => number;
  readonly output: (x: number) => number;
  readonly inputSize: number;
  readonly hidden: number;
  readonly clip: number;
  readonly coupled: boolean;
}

/** What direction `d` computes with. */
function cellOf(inputs: readonly (Dense | undefined)[], node: Node, d: number): Cell {
  const [gate, cell, output] = activationsOf(node, d, LSTM_ACTIVATIONS);
  return {
    w: directionPart(inputs[1], d)!,
    r: directionPart(inputs[2], d)!,
    b: directionPart(inputs[3], d),
    peepholes: directionPart(inputs[7], d),
    gate,
    cell,
    output,
    inputSize: inputs[0]!.dims[2],
    hidden: inputs[2]!.dims[2],
    clip: clipOf(node),
    coupled: attribute(node, 'input_forget', 'int', 0) !== 0,
  };
}

/** One step: replaces hidden state `h` and cell state `c`. */
function advance(cell: Cell, x: Dense['data'], h: Float64Array, c: Float64Array): void {
  const { hidden, inputSize, w, r, b, peepholes, clip } = cell;
  const previous = h.slice();
  for (let unit = 0; unit < hidden; unit++) {
    const before = (gate: number): number => {
      const row = gate * hidden + unit;
      let sum = b ? b[row] + b[4 * hidden + row] : 0;
      for (let i = 0; i < inputSize; i++) sum += w[row * inputSize + i] * x[i];
      for (let i = 0; i < hidden; i++) sum += r[row * hidden + i] * previous[i];
      return sum;
    };
    const peep = (which: number, state: number) => (peepholes ? peepholes[which * hidden + unit] * state : 0);
    const bound = (value: number) => Math.min(Math.max(value, -clip), clip);
    const input = cell.gate(bound(before(0) + peep(0, c[unit])));
    const forget = cell.coupled ? 1 - input : cell.gate(bound(before(2) + peep(2, c[unit])));
    c[unit] = forget * c[unit] + input * cell.cell(bound(before(3)));
    h[unit] = cell.gate(bound(before(1) + peep(1, c[unit]))) * cell.output(c[unit]);
  }
}
