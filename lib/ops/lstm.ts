import { attribute } from '../ir/attribute';
import type { Dim, Node } from '../ir/graph';
import { emptyLike } from './dense';
import type { Dense, Operator } from './operator';
import { FLOATS, optional, problem, required } from './schema';

const ATTRIBUTES = {
  activation_alpha: { kind: 'floats' },
  activation_beta: { kind: 'floats' },
  activations: { kind: 'strings' },
  clip: { kind: 'float' },
  direction: { kind: 'string' },
  hidden_size: { kind: 'int' },
  input_forget: { kind: 'int' },
  layout: { kind: 'int' },
} as const;

/** Activation functions without parameters, by their ONNX name in lower case. */
const ACTIVATIONS: Readonly<Record<string, (x: number) => number>> = {
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  tanh: Math.tanh,
  relu: (x) => Math.max(x, 0),
  hardsigmoid: (x) => Math.min(Math.max(0.2 * x + 0.5, 0), 1),
  softsign: (x) => x / (1 + Math.abs(x)),
  softplus: (x) => Math.log1p(Math.exp(x)),
};

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
    attributes: ATTRIBUTES,
  },
  infer: ({ node, inputs: [x, , r] }) => {
    const type = x!.type;
    const unknown = { type, shape: undefined };
    const directions = directionsOf(node);
    if (!directions) return problem(node, 'attribute', 'expected direction forward, reverse or bidirectional');
    const names = attribute(node, 'activations', 'strings', []);
    const stranger = names.find((name) => !(name.toLowerCase() in ACTIVATIONS));
    if (stranger !== undefined) return problem(node, 'attribute', `activation ${stranger} is not supported`);
    if (node.attributes.has('activation_alpha') || node.attributes.has('activation_beta'))
      return problem(node, 'attribute', 'activations with parameters are not supported');
    if (!x!.shape) return [unknown, unknown, unknown];
    if (x!.shape.length !== 3) return problem(node, 'shape-mismatch', `expected a rank-3 input, found [${x!.shape}]`);
    const hidden: Dim | undefined = node.attributes.has('hidden_size')
      ? attribute(node, 'hidden_size', 'int')
      : r?.shape?.[2];
    if (hidden === undefined) return [unknown, unknown, unknown];
    const batchFirst = attribute(node, 'layout', 'int', 0) === 1;
    const [steps, batch] = batchFirst ? [x!.shape[1], x!.shape[0]] : x!.shape;
    const count = directions.length;
    const state = { type, shape: batchFirst ? [batch, count, hidden] : [count, batch, hidden] };
    const all = { type, shape: batchFirst ? [batch, steps, count, hidden] : [steps, count, batch, hidden] };
    return [all, state, state];
  },
  evaluate: evaluateLstm,
  cost: ([x, , r]) => {
    const [a, b, inputSize] = x!.shape as readonly number[];
    const [directions, , hidden] = r!.shape as readonly number[];
    const cells = a * b * directions * hidden;
    return { macs: 4 * cells * (inputSize + hidden), elementOps: 12 * cells };
  },
};

/** Whether each direction runs backwards; undefined for an unknown word. */
function directionsOf(node: Node): readonly boolean[] | undefined {
  const table: Readonly<Record<string, readonly boolean[]>> = {
    forward: [false],
    reverse: [true],
    bidirectional: [false, true],
  };
  return table[attribute(node, 'direction', 'string', 'forward')];
}

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

function evaluateLstm(inputs: readonly (Dense | undefined)[], node: Node): Dense[] {
  const [x, , r, , lengths, initialH, initialC] = inputs;
  const batchFirst = attribute(node, 'layout', 'int', 0) === 1;
  const [steps, batch] = batchFirst ? [x!.dims[1], x!.dims[0]] : x!.dims;
  const [count, , hidden] = r!.dims;
  const states = batchFirst ? [batch, count, hidden] : [count, batch, hidden];
  const y = emptyLike(x!, batchFirst ? [batch, steps, count, hidden] : [steps, count, batch, hidden]);
  const [lastH, lastC] = [emptyLike(x!, states), emptyLike(x!, states)];
  const inputSize = x!.dims[2];
  directionsOf(node)!.forEach((backwards, d) => {
    const cell = cellOf(inputs, node, d);
    for (let n = 0; n < batch; n++) {
      const stateAt = (batchFirst ? n * count + d : d * batch + n) * hidden;
      const start = (state: Dense | undefined) =>
        state ? Float64Array.from(state.data.subarray(stateAt, stateAt + hidden)) : new Float64Array(hidden);
      const [h, c] = [start(initialH), start(initialC)];
      const length = lengths ? lengths.data[n] : steps;
      for (let step = 0; step < length; step++) {
        const t = backwards ? length - 1 - step : step;
        const xAt = (batchFirst ? n * steps + t : t * batch + n) * inputSize;
        advance(cell, x!.data.subarray(xAt, xAt + inputSize), h, c);
        y.data.set(h, (batchFirst ? (n * steps + t) * count + d : (t * count + d) * batch + n) * hidden);
      }
      lastH.data.set(h, stateAt);
      lastC.data.set(c, stateAt);
    }
  });
  return [y, lastH, lastC];
}

/** What direction `d` computes with. */
function cellOf(inputs: readonly (Dense | undefined)[], node: Node, d: number): Cell {
  const part = (input: Dense | undefined): Dense['data'] | undefined => {
    if (!input) return undefined;
    const size = input.data.length / input.dims[0];
    return input.data.subarray(d * size, (d + 1) * size);
  };
  const names = attribute(node, 'activations', 'strings', []);
  const activation = (index: number, fallback: string) => ACTIVATIONS[(names[3 * d + index] ?? fallback).toLowerCase()];
  const clip = attribute(node, 'clip', 'float', 0);
  return {
    w: part(inputs[1])!,
    r: part(inputs[2])!,
    b: part(inputs[3]),
    peepholes: part(inputs[7]),
    gate: activation(0, 'Sigmoid'),
    cell: activation(1, 'Tanh'),
    output: activation(2, 'Tanh'),
    inputSize: inputs[0]!.dims[2],
    hidden: inputs[2]!.dims[2],
    clip: clip > 0 ? clip : Number.POSITIVE_INFINITY,
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
