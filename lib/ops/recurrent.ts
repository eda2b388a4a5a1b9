import type { Diagnostic } from '../core/diagnostic';
import type { UnaryOperation } from '../core/unary-operation';
import { attribute } from '../ir/attribute';
import type { Dim, Node } from '../ir/graph';
import { emptyLike } from './dense';
import type { BoundedFunction } from './kernel-call';
import type { Dense, InferContext, Inferred } from './operator';
import { problem } from './schema';

/** An activation function of ONNX. */
interface Kind {
  /** Defaults of its factors, where it has them. */
  readonly alpha?: number;
  readonly beta?: number;
  readonly of: (alpha: number, beta: number) => (x: number) => number;
  /** What computes it in the engine; absent: nothing. */
  readonly engine?: (alpha: number, beta: number) => BoundedFunction;
}

const bounded = (operation: UnaryOperation, alpha = 0, beta = 0, lo = Number.NEGATIVE_INFINITY): BoundedFunction => ({
  operation,
  alpha,
  beta,
  lo,
  hi: Number.POSITIVE_INFINITY,
});

/** Activation functions by their ONNX name in lower case. */
const ACTIVATIONS: Readonly<Record<string, Kind>> = {
  affine: { alpha: 1, beta: 0, of: (a, b) => (x) => a * x + b },
  elu: { alpha: 1, of: (a) => (x) => (x < 0 ? a * Math.expm1(x) : x), engine: (a) => bounded('elu', a) },
  hardsigmoid: {
    alpha: 0.2,
    beta: 0.5,
    of: (a, b) => (x) => Math.min(Math.max(a * x + b, 0), 1),
    engine: (a, b) => bounded('hard_sigmoid', a, b),
  },
  leakyrelu: {
    alpha: 0.01,
    of: (a) => (x) => (x < 0 ? a * x : x),
    engine: (a) => bounded('leaky_relu', a),
  },
  relu: { of: () => (x) => Math.max(x, 0), engine: () => bounded('leaky_relu', 1, 0, 0) },
  scaledtanh: { alpha: 1, beta: 1, of: (a, b) => (x) => a * Math.tanh(b * x) },
  sigmoid: { of: () => (x) => 1 / (1 + Math.exp(-x)), engine: () => bounded('sigmoid') },
  softplus: { of: () => (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), engine: () => bounded('softplus') },
  softsign: { of: () => (x) => x / (1 + Math.abs(x)), engine: () => bounded('softsign') },
  tanh: { of: () => Math.tanh, engine: () => bounded('tanh') },
  thresholdedrelu: {
    alpha: 1,
    of: (a) => (x) => (x > a ? x : 0),
    engine: (a) => bounded('thresholded_relu', a),
  },
};

/** An activation of a node. */
export interface RecurrentActivation {
  readonly name: string;
  readonly evaluate: (x: number) => number;
  /** What computes it in the engine; undefined: nothing. */
  readonly engine: BoundedFunction | undefined;
}

/** Whether each direction runs backwards. */
export function directionsOf(node: Node): readonly boolean[] {
  const table: Readonly<Record<string, readonly boolean[]>> = {
    forward: [false],
    reverse: [true],
    bidirectional: [false, true],
  };
  return table[attribute(node, 'direction', 'string', 'forward')];
}

/**
 * The activations of all directions, one after the other: `defaults` for each unless the node names others. Functions that
 * have factors take them from the lists of the node in turn. Undefined for a name that ONNX has not.
 */
export function activationsOf(node: Node, defaults: readonly string[]): readonly (RecurrentActivation | undefined)[] {
  const names = attribute(node, 'activations', 'strings', []);
  const [alphas, betas] = ['activation_alpha', 'activation_beta'].map((list) => [
    ...attribute(node, list, 'floats', []),
  ]);
  const count = defaults.length * directionsOf(node).length;
  return Array.from({ length: count }, (_, index) => {
    const name = names[index] ?? defaults[index % defaults.length];
    const kind = ACTIVATIONS[name.toLowerCase()];
    if (kind === undefined) return undefined;
    const alpha = kind.alpha === undefined ? 0 : (alphas.shift() ?? kind.alpha);
    const beta = kind.beta === undefined ? 0 : (betas.shift() ?? kind.beta);
    return { name, evaluate: kind.of(alpha, beta), engine: kind.engine?.(alpha, beta) };
  });
}

/** Bound of the numbers that go into activations; infinite without the attribute. */
export function clipOf(node: Node): number {
  const clip = attribute(node, 'clip', 'float', 0);
  return clip > 0 ? clip : Number.POSITIVE_INFINITY;
}

/** Types of Y and `states` final states; `activations` are those of a node that names none. */
export function inferRecurrent(
  { node, inputs: [x, , r] }: InferContext,
  states: number,
  activations: readonly string[],
): readonly Inferred[] | Diagnostic {
  const type = x!.type;
  const unknown = Array<Inferred>(1 + states).fill({ type, shape: undefined });
  const directions = directionsOf(node);
  const stranger = activationsOf(node, activations).indexOf(undefined);
  if (stranger !== -1) {
    const name = attribute(node, 'activations', 'strings', [])[stranger];
    return problem(node, 'attribute', `activation ${name} is not supported`);
  }
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
  directionsOf(node).forEach((backwards, d) => {
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
