import { attribute } from '../ir/attribute';
import { usesOf } from '../ir/edit';
import type { Dim, Graph, Node } from '../ir/graph';
import { elementCount } from '../ir/tensor';
import { distributionOf, hasTrait } from '../ops/facts';

/** What the first output of a network is, and so how two networks are compared by it. */
export type Task =
  /** One class per sample: the place of its largest element. */
  | { readonly kind: 'classes' }
  /** One class per position (a token, a pixel): the place of the largest element along `axis` of the batched output. */
  | {
      readonly kind: 'positions';
      readonly axis: number;
      /** How a class's element tells its probability. */
      readonly form: 'logits' | 'probabilities' | 'logarithms';
      /** Integer input `[N, T]` whose next entry each of the T positions may foretell. */
      readonly tokens: string | undefined;
    }
  /** Numbers that mean themselves (a map, a box, a signal): compared by their error. */
  | { readonly kind: 'numbers' };

/**
 * The task of a network (dialect, shapes inferred), told by its first output. Labels (one per sample) make it classes. Without them
 * a vector counts as classes unless it ends in a squashing function, is as long as a float input of the network (an autoencoder) or has
 * one element; a sequence `[N, T, V]` has a class per position when it ends in a Softmax or the network reads integers; a map
 * `[N, C, H, W]` when it ends in a Softmax. Everything else is numbers.
 */
export function taskOf(graph: Graph, labelled: boolean): Task {
  if (labelled) return { kind: 'classes' };
  const [output] = graph.outputs;
  const { type, shape } = graph.values.get(output) ?? {};
  if (type !== 'float32' || !shape) return type === 'float32' ? { kind: 'classes' } : { kind: 'numbers' };
  const uses = usesOf(graph);
  let producer = uses.producer(output);
  while (producer && hasTrait(producer, 'relabels')) producer = uses.producer(producer.inputs[0]);
  const distribution = distributionOf(producer);
  const long = shape.slice(1).filter((dim) => dim !== 1);
  if (shape.length <= 2 || long.length <= 1) {
    if (long.length === 0) return { kind: 'numbers' };
    if (distribution) return { kind: 'classes' };
    // Vectors of length one are embeddings.
    const squashes = hasTrait(producer, 'squashes') || producer?.op === 'LpNormalization';
    return squashes || isAsLongAsInput(graph, shape) ? { kind: 'numbers' } : { kind: 'classes' };
  }
  const form = distribution ?? 'logits';
  const tokens = graph.inputs.find((name) => isTokens(graph, name, shape));
  const last = shape.length - 1;
  if (distribution) {
    const axis = softmaxAxis(producer!, shape.length);
    return { kind: 'positions', axis, form, tokens: axis === last ? tokens : undefined };
  }
  if (shape.length === 3 && tokens !== undefined) return { kind: 'positions', axis: last, form, tokens };
  return { kind: 'numbers' };
}

function softmaxAxis(node: Node, rank: number): number {
  const axis = attribute(node, 'axis', 'int', -1);
  return axis < 0 ? rank + axis : axis;
}

function isAsLongAsInput(graph: Graph, shape: readonly Dim[]): boolean {
  const count = (dims: readonly Dim[]) =>
    dims.slice(1).every((dim) => typeof dim === 'number') ? elementCount(dims.slice(1) as number[]) : undefined;
  const own = count(shape);
  return graph.inputs.some((name) => {
    const input = graph.values.get(name);
    return input?.type === 'float32' && input.shape !== undefined && own !== undefined && count(input.shape) === own;
  });
}

/** An integer input `[N, T]` with as many positions as an output `[N, T, V]`. */
function isTokens(graph: Graph, name: string, [, positions]: readonly Dim[]): boolean {
  const { type, shape } = graph.values.get(name) ?? {};
  return (type === 'int64' || type === 'int32') && shape?.length === 2 && shape[1] === positions;
}

/** Place of the largest element along an axis, for every position of the other axes in their order. */
export function largestAlong(values: ArrayLike<number>, dims: readonly number[], axis: number): Int32Array {
  const extent = dims[axis];
  const inner = elementCount(dims.slice(axis + 1));
  const found = new Int32Array(values.length / extent);
  for (let position = 0; position < found.length; position++) {
    const start = Math.floor(position / inner) * extent * inner + (position % inner);
    let best = 0;
    for (let k = 1; k < extent; k++) if (values[start + k * inner] > values[start + best * inner]) best = k;
    found[position] = best;
  }
  return found;
}

/**
 * Mean of `-ln p` of each next token at the position before it, in nats, of one sample `[T, V]`; undefined when there is
 * none, or a token is beyond the V classes.
 */
export function natsOf(
  values: ArrayLike<number>,
  classes: number,
  tokens: ArrayLike<number>,
  form: 'logits' | 'probabilities' | 'logarithms',
): number | undefined {
  if (tokens.length < 2 || values.length !== tokens.length * classes) return undefined;
  let sum = 0;
  for (let position = 0; position + 1 < tokens.length; position++) {
    const token = tokens[position + 1];
    if (!(token >= 0 && token < classes)) return undefined;
    const row = Array.from({ length: classes }, (_, k) => values[position * classes + k]);
    const own = row[token];
    if (form === 'probabilities') sum -= Math.log(Math.max(own, Number.MIN_VALUE));
    else if (form === 'logarithms') sum -= own;
    else {
      const highest = Math.max(...row);
      sum += highest + Math.log(row.reduce((total, x) => total + Math.exp(x - highest), 0)) - own;
    }
  }
  return sum / (tokens.length - 1);
}
