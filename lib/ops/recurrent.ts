import type { Diagnostic } from '../core/diagnostic';
import { attribute } from '../ir/attribute';
import type { Dim, Node } from '../ir/graph';
import { emptyLike } from './dense';
import type { Dense, InferContext, Inferred } from './operator';
import { problem } from './schema';

/** Activation functions without parameters, by their ONNX name in lower case. */
const ACTIVATIONS: Readonly<Record<string, (x: number) => number>> = {
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  tanh: Math.tanh,
  relu: (x) => Math.max(x, 0),
  hardsigmoid: (x) => Math.min(Math.max(0.2 * x + 0.5, 0), 1),
  softsign: (x) => x / (1 + Math.abs(x)),
  softplus: (x) => Math.log1p(Math.exp(x)),
};

/** Whether each direction runs backwards; undefined for an unknown word. */
export function directionsOf(node: Node): readonly boolean[] | undefined {
  const table: Readonly<Record<string, readonly boolean[]>> = {
    forward: [false],
    reverse: [true],
    bidirectional: [false, true],
  };
  return table[attribute(node, 'direction', 'string', 'forward')];
}

/** The activations of direction `d`, each a name of `defaults` unless the node says otherwise. */
export function activationsOf(node: Node, d: number, defaults: readonly string[]): ((x: number) => number)[] {
  const names = attribute(node, 'activations', 'strings', []);
  return defaults.map((name, index) => ACTIVATIONS[(names[defaults.length * d + index] ?? name).toLowerCase()]);
}

/** Bound of the numbers that go into activations; infinite without the attribute. */
export function clipOf(node: Node): number {
  const clip = attribute(node, 'clip', 'float', 0);
  return clip > 0 ? clip : Number.POSITIVE_INFINITY;
}

/** Types of Y and `states` final states. */
export function inferRecurrent(
  { node, inputs: [x, , r] }: InferContext,
  states: number,
): readonly Inferred[] | Diagnostic {
  const type = x!.type;
  const unknown = Array<Inferred>(1 + states).fill({ type, shape: undefined });
  const directions = directionsOf(node);
  if (!directions) return problem(node, 'attribute', 'expected direction forward, reverse or bidirectional');
  const names = attribute(node, 'activations', 'strings', []);
  const stranger = names.find((name) => !(name.toLowerCase() in ACTIVATIONS));
  if (stranger !== undefined) return problem(node, 'attribute', `activation ${stranger} is not supported`);
  if (node.attributes.has('activation_alpha') || node.attributes.has('activation_beta'))
    return problem(node, 'attribute', 'activations with parameters are not supported');
  if (!x!.shape) return unknown;
  if (x!.shape.length !== 3) return problem(node, 'shape-mismatch', `expected a rank-3 input, found [${x!.shape}]`);
  const hidden: Dim | undefined = node.attributes.has('hidden_size')
    ? attribute(node, 'hidden_size', 'int')
    : r?.shape?.[2];
  if (hidden === undefined) return unknown;
  const batchFirst = attribute(node, 'layout', 'int', 0) === 1;
  const [steps, batch] = batchFirst ? [x!.shape[1], x!.shape[0]] : x!.shape;
  const count = directions.length;
  const state = { type, shape: batchFirst ? [batch, count, hidden] : [count, batch, hidden] };
  const all = { type, shape: batchFirst ? [batch, steps, count, hidden] : [steps, count, batch, hidden] };
  return [all, ...Array<Inferred>(states).fill(state)];
}

/** Part `d` of an input whose first axis counts directions. */
export function directionPart(input: Dense | undefined, d: number): Dense['data'] | undefined {
  if (!input) return undefined;
  const size = input.data.length / input.dims[0];
  return input.data.subarray(d * size, (d + 1) * size);
}

/** Replaces the states of one sample by those after the input `x`; the first state is the output. */
export type Advance = (x: Dense['data'], states: readonly Float64Array[]) => void;

/**
 * Runs cells over sequences. Inputs are those of the node: X `[T, N, I]`, W, R `[D, _, H]`, B, lengths `[N]`, then what
 * `starts` (initial states, zero where undefined) was taken from. Returns Y and the final states.
 */
export function evaluateRecurrent(
  inputs: readonly (Dense | undefined)[],
  node: Node,
  starts: readonly (Dense | undefined)[],
  cellOf: (direction: number) => Advance,
): Dense[] {
  const [x, , r, , lengths] = inputs;
  const batchFirst = attribute(node, 'layout', 'int', 0) === 1;
  const [steps, batch] = batchFirst ? [x!.dims[1], x!.dims[0]] : x!.dims;
  const [count, , hidden] = r!.dims;
  const inputSize = x!.dims[2];
  const y = emptyLike(x!, batchFirst ? [batch, steps, count, hidden] : [steps, count, batch, hidden]);
  const last = starts.map(() => emptyLike(x!, batchFirst ? [batch, count, hidden] : [count, batch, hidden]));
  directionsOf(node)!.forEach((backwards, d) => {
    const advance = cellOf(d);
    for (let n = 0; n < batch; n++) {
      const stateAt = (batchFirst ? n * count + d : d * batch + n) * hidden;
      const states = starts.map((start) =>
        start ? Float64Array.from(start.data.subarray(stateAt, stateAt + hidden)) : new Float64Array(hidden),
      );
      const length = lengths ? lengths.data[n] : steps;
      for (let step = 0; step < length; step++) {
        const t = backwards ? length - 1 - step : step;
        const xAt = (batchFirst ? n * steps + t : t * batch + n) * inputSize;
        advance(x!.data.subarray(xAt, xAt + inputSize), states);
        y.data.set(states[0], (batchFirst ? (n * steps + t) * count + d : (t * count + d) * batch + n) * hidden);
      }
      states.forEach((state, index) => {
        last[index].data.set(state, stateAt);
      });
    }
  });
  return [y, ...last];
}
