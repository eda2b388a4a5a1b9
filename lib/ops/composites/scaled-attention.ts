import { tensorFrom } from '../../ir/tensor';
import { castTo, int64s, transposeTo } from '../gradients';
import { type CompositeContext, Refused, reshaped } from './composite';

/** What takes part in attention: queries, keys and values per head, [N, heads, length, size]. */
export interface Heads {
  readonly q: string;
  readonly k: string;
  readonly v: string;
  readonly scale: number;
  /** Added to the scores, broadcast to [N, heads, queries, keys]. */
  readonly bias?: string | undefined;
  /** Scores s become c * tanh(s / c); 0 leaves them. */
  readonly softcap?: number;
}

/** Every intermediate value of attention that an operator may show. */
export interface Attended {
  readonly scores: string;
  readonly capped: string;
  readonly biased: string;
  readonly weights: string;
  /** [N, heads, queries, size]. */
  readonly result: string;
}

/** `softmax(q k^T * scale + bias) v` (Vaswani et al. 2017, eq. 1). Heads of q share those of k and v in groups. */
export function scaledAttention(context: CompositeContext, { scale, softcap = 0, bias, ...heads }: Heads): Attended {
  const { emit, f } = context;
  const groups = context.extent(heads.q, 1) / context.extent(heads.k, 1);
  if (!Number.isInteger(groups)) throw new Refused('the heads of queries are no multiple of those of keys');
  const [k, v] = [heads.k, heads.v].map((value) => repeatHeads(context, value, groups));
  const scores = f('MatMul', f('Mul', heads.q, scale), transposeTo(emit, k, [0, 1, 3, 2]));
  const capped = softcap > 0 ? f('Mul', f('Tanh', f('Div', scores, softcap)), softcap) : scores;
  const biased = bias === undefined ? capped : f('Add', capped, bias);
  const weights = emit.node('Softmax', [biased], { axis: -1 });
  return { scores, capped, biased, weights, result: f('MatMul', weights, v) };
}

/** Each head `times` times: head `h` of the result is head `floor(h / times)`. */
function repeatHeads({ emit, extent }: CompositeContext, value: string, times: number): string {
  if (times === 1) return value;
  const [count, heads, length, size] = [0, 1, 2, 3].map((axis) => extent(value, axis));
  const apart = reshaped(emit, value, [count, heads, 1, length, size]);
  const repeated = emit.node('Expand', [apart, int64s(emit, [count, heads, times, length, size])]);
  return reshaped(emit, repeated, [count, heads * times, length, size]);
}

/** [N, length, heads * size] as [N, heads, length, size]. */
export function splitHeads({ emit, extent }: CompositeContext, value: string, heads: number): string {
  const size = extent(value, 2) / heads;
  if (!(heads > 0) || !Number.isInteger(size)) throw new Refused(`${extent(value, 2)} do not make ${heads} heads`);
  return transposeTo(emit, reshaped(emit, value, [0, 0, heads, size]), [0, 2, 1, 3]);
}

/** [N, heads, length, size] as [N, length, heads * size]. */
export function mergeHeads({ emit, extent }: CompositeContext, value: string): string {
  const width = extent(value, 1) * extent(value, 3);
  return reshaped(emit, transposeTo(emit, value, [0, 2, 1, 3]), [0, 0, width]);
}

/** Bias [queries, keys] that is `fill` where a key stands behind its query, of which `offset` keys stand before the first. */
export function causalBias(
  { emit }: CompositeContext,
  queries: number,
  keys: number,
  offset: number,
  fill: number,
): string {
  const data = Array.from({ length: queries * keys }, (_, i) => (i % keys > Math.floor(i / keys) + offset ? fill : 0));
  return emit.constant(tensorFrom('float32', [queries, keys], data));
}

/** Bias of a mask of true (or not 0) where a key is seen, `fill` elsewhere. */
export function biasOfMask({ emit, f }: CompositeContext, mask: string, fill: number): string {
  const bool = emit.node('Cast', [mask], { to: 9 });
  return f('Where', bool, 0, fill);
}

/** Bias that sees the first `lengths` of `keys` keys: [N, 1, 1, keys] of lengths [N]. */
export function biasOfLengths(context: CompositeContext, lengths: string, keys: number, fill: number): string {
  const { emit, f } = context;
  const places = emit.constant(
    tensorFrom(
      'int64',
      [1, 1, 1, keys],
      Array.from({ length: keys }, (_, i) => i),
    ),
  );
  const counts = reshaped(emit, castTo(emit, lengths, 'int64'), [-1, 1, 1, 1]);
  return f('Where', f('Less', places, counts), 0, fill);
}

/** The sum of those that are there. */
export function sumOfBiases({ f }: CompositeContext, biases: readonly (string | undefined)[]): string | undefined {
  const there = biases.filter((bias) => bias !== undefined);
  return there.length === 0 ? undefined : there.reduce((sum, bias) => f('Add', sum, bias));
}
