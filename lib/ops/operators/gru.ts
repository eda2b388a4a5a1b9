import { attribute } from '../../ir/attribute';
import type { Node } from '../../ir/graph';
import { recurrent } from '../coupling-layers';
import { GRU_ACTIVATIONS, gruGradient } from '../gru-gradient';
import { recurrentLayer } from '../layer-facets';
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
 * ONNX GRU-14. Inputs X `[T, N, I]`, W `[D, 3H, I]`, R `[D, 3H, H]`, B `[D, 6H]`, lengths `[N]`, initial h `[D, N, H]`;
 * outputs Y `[T, D, N, H]` and Y_h `[D, N, H]`. Gates stand in the order update, reset, candidate. With
 * linear_before_reset the reset gate scales the candidate's recurrent product, otherwise the state before the product. With
 * layout=1 the batch is the first axis of X, Y and the states.
 */
export const gru: Operator = {
  op: 'GRU',
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
    ],
    outputs: [optional('Y', FLOATS), optional('Y_h', FLOATS)],
    attributes: { ...RECURRENT_ATTRIBUTES, linear_before_reset: { kind: 'int' } },
  },
  infer: (context) => inferRecurrent(context, 1),
  evaluate: (inputs, node) =>
    evaluateRecurrent(inputs, node, [inputs[5]], (d) => {
      const cell = cellOf(inputs, node, d);
      return (x, [h]) => advance(cell, x, h);
    }),
  gradient: gruGradient,
  coupling: recurrent,
  layer: recurrentLayer,
  cost: ([x, , r]) => {
    const [a, b, inputSize] = x!.shape as readonly number[];
    const [directions, , hidden] = r!.shape as readonly number[];
    const cells = a * b * directions * hidden;
    return { macs: 3 * cells * (inputSize + hidden), elementOps: 10 * cells };
  },
};

/** Weights of one direction as plain slices. */
interface Cell {
  readonly w: Dense['data'];
  readonly r: Dense['data'];
  readonly b: Dense['data'] | undefined;
  readonly gate: (x: number) => number;
  readonly candidate: (x: number) => number;
  readonly hidden: number;
  readonly clip: number;
  readonly linearBeforeReset: boolean;
}

/** What direction `d` computes with. */
function cellOf(inputs: readonly (Dense | undefined)[], node: Node, d: number): Cell {
  const [gate, candidate] = activationsOf(node, d, GRU_ACTIVATIONS);
  return {
    w: directionPart(inputs[1], d)!,
    r: directionPart(inputs[2], d)!,
    b: directionPart(inputs[3], d),
    gate,
    candidate,
    hidden: inputs[2]!.dims[2],
    clip: clipOf(node),
    linearBeforeReset: attribute(node, 'linear_before_reset', 'int', 0) !== 0,
  };
}

/** One step: replaces the hidden state `h`. */
function advance(cell: Cell, x: Dense['data'], h: Float64Array): void {
  const { hidden, w, r, b, clip, linearBeforeReset } = cell;
  const product = (weights: Dense['data'], row: number, by: ArrayLike<number>): number => {
    let sum = 0;
    for (let i = 0; i < by.length; i++) sum += weights[row * by.length + i] * by[i];
    return sum;
  };
  const fromInput = (row: number) => product(w, row, x) + (b ? b[row] : 0);
  const fromState = (row: number, state: Float64Array) => product(r, row, state) + (b ? b[3 * hidden + row] : 0);
  const bound = (value: number) => Math.min(Math.max(value, -clip), clip);
  const gate = (first: number) =>
    Float64Array.from(h, (_, unit) => cell.gate(bound(fromInput(first + unit) + fromState(first + unit, h))));
  const [update, reset] = [gate(0), gate(hidden)];
  const scaled = h.map((value, unit) => value * reset[unit]);
  const candidates = h.map((_, unit) => {
    const row = 2 * hidden + unit;
    const recurrent = linearBeforeReset ? reset[unit] * fromState(row, h) : fromState(row, scaled);
    return cell.candidate(bound(fromInput(row) + recurrent));
  });
  for (let unit = 0; unit < hidden; unit++) h[unit] = (1 - update[unit]) * candidates[unit] + update[unit] * h[unit];
}
