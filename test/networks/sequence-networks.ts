import type { Graph } from '../../lib/ir/graph';
import { tensorFrom } from '../../lib/ir/tensor';
import { Layers } from './layers';

/** Words that the networks know. */
export const WORDS = 50;
const [SIZE, HEADS] = [32, 4];
const HEAD = SIZE / HEADS;
const FLOAT = 1;
/** Places that the cache of the decoder has. */
const PLACES = 8;
const CACHE = [1, HEADS, PLACES, HEAD];

/** Layers of Transformers, as torch exports them before opset 17: normalization and Gelu in pieces. */
class Transformer extends Layers {
  normalize(x: string): string {
    const { b } = this;
    const centred = b.node('Sub', [x, b.node('ReduceMean', [x], { axes: [-1], keepdims: 1 })]);
    const variance = b.node('ReduceMean', [b.node('Pow', [centred, this.scalar(2)])], { axes: [-1], keepdims: 1 });
    const unit = b.node('Div', [centred, b.node('Sqrt', [b.node('Add', [variance, this.scalar(1e-5)])])]);
    return b.node('Add', [b.node('Mul', [unit, this.numbers([SIZE], 0.1, 1)]), this.numbers([SIZE], 0.1)]);
  }

  gelu(x: string): string {
    const { b } = this;
    const erf = b.node('Erf', [b.node('Div', [x, this.scalar(Math.SQRT2)])]);
    return b.node('Mul', [b.node('Mul', [x, b.node('Add', [erf, this.scalar(1)])]), this.scalar(0.5)]);
  }

  feedForward(x: string): string {
    return this.dense(this.gelu(this.dense(x, SIZE, 4 * SIZE)), 4 * SIZE, SIZE);
  }

  /** [N, T, SIZE] as [N, HEADS, T, HEAD]. */
  heads(x: string): string {
    return this.b.node('Transpose', [this.b.node('Reshape', [x, this.ints(0, -1, HEADS, HEAD)])], {
      perm: [0, 2, 1, 3],
    });
  }

  /** Values by the softmax of products of queries and keys, all [N, HEADS, T, HEAD]; the mask is added to the products. */
  attend(queries: string, keys: string, values: string, mask: string): string {
    const { b } = this;
    const products = b.node('MatMul', [queries, b.node('Transpose', [keys], { perm: [0, 1, 3, 2] })]);
    const scores = b.node('Add', [b.node('Div', [products, this.scalar(Math.sqrt(HEAD))]), mask]);
    const mixed = b.node('MatMul', [b.node('Softmax', [scores], { axis: -1 }), values]);
    return b.node('Reshape', [b.node('Transpose', [mixed], { perm: [0, 2, 1, 3] }), this.ints(0, -1, SIZE)]);
  }
}

/** BERT (Devlin et al. 2018) of two layers over 12 words: ids and mask of int64, all states and the pooled first. */
export function bertEncoder(): Graph {
  const l = new Transformer(21);
  const { b } = l;
  const [ids, kinds, seen] = ['ids', 'kinds', 'seen'].map((name) => b.input(name, 'int64', ['N', 12]));
  const look = (table: string, at: string) => b.node('Gather', [table, at]);
  const embedded = b.node('Add', [look(l.numbers([WORDS, SIZE], 1), ids), look(l.numbers([2, SIZE], 0.5), kinds)]);
  let x = l.normalize(b.node('Add', [embedded, l.numbers([1, 12, SIZE], 0.5)]));
  const wide = b.node('Cast', [b.node('Unsqueeze', [seen, l.ints(1, 2)])], { to: FLOAT });
  const mask = b.node('Mul', [b.node('Sub', [l.scalar(1), wide]), l.scalar(-10000)]);
  for (let layer = 0; layer < 2; layer++) {
    const [queries, keys, values] = [0, 1, 2].map(() => l.heads(l.dense(x, SIZE, SIZE)));
    x = l.normalize(b.node('Add', [x, l.dense(l.attend(queries, keys, values, mask), SIZE, SIZE)]));
    x = l.normalize(b.node('Add', [x, l.feedForward(x)]));
  }
  b.output(x);
  const first = b.node('Gather', [x, b.initializer(tensorFrom('int64', [], [0]), 'first')], { axis: 1 });
  b.output(b.node('Tanh', [l.dense(first, SIZE, SIZE)]));
  return b.build();
}

/** A decoder: its states by input, the extents of each, and how many words it takes. */
interface Decoder {
  readonly graph: Graph;
  readonly states: ReadonlyMap<string, string>;
  readonly cache: readonly number[];
  readonly places: number;
}

/**
 * One step of a decoder of two layers (GPT-2, Radford et al. 2019): the word `id` [1, 1] at place `at` [1] gives logits [1, 1, WORDS]
 * and the caches with its keys and values, which are the inputs of the next step.
 */
export function decoder(): Decoder {
  const l = new Transformer(22);
  const { b } = l;
  const [id, at] = [b.input('id', 'int64', [1, 1]), b.input('at', 'int64', [1])];
  const states = new Map<string, string>();
  const table = l.numbers([WORDS, SIZE], 1);
  let x = b.node('Add', [b.node('Gather', [table, id]), b.node('Gather', [l.numbers([PLACES, SIZE], 0.5), at])]);
  const places = b.initializer(
    tensorFrom(
      'int64',
      [PLACES],
      Array.from({ length: PLACES }, (_, place) => place),
    ),
    'places',
  );
  const isHere = b.node('Reshape', [b.node('Equal', [places, at]), l.ints(1, 1, PLACES, 1)]);
  const isPast = b.node('LessOrEqual', [places, at]);
  const mask = b.node('Where', [isPast, l.scalar(0), l.scalar(-1e9)]);
  for (let layer = 0; layer < 2; layer++) {
    const normalized = l.normalize(x);
    const [queries, keys, values] = [0, 1, 2].map(() => l.heads(l.dense(normalized, SIZE, SIZE)));
    const [allKeys, allValues] = [keys, values].map((fresh, index) => {
      const name = `${'kv'[index]}${layer}`;
      states.set(name, `${name}_next`);
      const past = b.input(name, 'float32', CACHE);
      return b.node('Where', [isHere, fresh, past], {}, { outputs: [`${name}_next`] });
    });
    x = b.node('Add', [x, l.dense(l.attend(queries, allKeys, allValues, mask), SIZE, SIZE)]);
    x = b.node('Add', [x, l.feedForward(l.normalize(x))]);
  }
  const turned = b.node('Transpose', [table], { perm: [1, 0] });
  b.output(b.node('MatMul', [l.normalize(x), turned], {}, { outputs: ['logits'] }));
  for (const next of states.values()) b.output(next);
  return { graph: b.build(), states, cache: CACHE, places: PLACES };
}

/** Two recurrent layers of both directions over x [11, N, 6], then scores of classes for every step, as for speech. */
export function recurrent(op: 'LSTM' | 'GRU' | 'RNN'): Graph {
  const l = new Layers(23);
  const { b } = l;
  const gates = { LSTM: 4, GRU: 3, RNN: 1 }[op];
  const [steps, hidden] = [11, 10];
  let [x, size] = [b.input('x', 'float32', [steps, 'N', 6]), 6];
  for (let layer = 0; layer < 2; layer++) {
    const parameters = [
      l.numbers([2, gates * hidden, size], 1 / Math.sqrt(size)),
      l.numbers([2, gates * hidden, hidden], 1 / Math.sqrt(hidden)),
      l.numbers([2, 2 * gates * hidden], 0.1),
    ];
    const values = {
      hidden_size: hidden,
      direction: 'bidirectional',
      ...(op === 'GRU' ? { linear_before_reset: 1 } : {}),
    };
    const y = b.node(op, [x, ...parameters], values);
    [x, size] = [b.node('Reshape', [b.node('Transpose', [y], { perm: [0, 2, 1, 3] }), l.ints(0, 0, -1)]), 2 * hidden];
  }
  b.output(b.node('LogSoftmax', [l.dense(x, size, 7)], { axis: -1 }));
  return b.build();
}
