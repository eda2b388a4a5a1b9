import { attribute } from '../../ir/attribute';
import { elementCount, tensorFrom, toNumbers } from '../../ir/tensor';
import { castTo, int64s } from '../gradients';
import {
  type CompositeContext,
  joined,
  needed,
  parted,
  Refused,
  refuseInputs,
  refuseOutputs,
  reshaped,
} from './composite';
import { atPositions, turned } from './rotary-embedding';
import { mergeHeads, scaledAttention, splitHeads, sumOfBiases } from './scaled-attention';

/** Where the new positions of each sequence stand in the cache. */
interface Places {
  /** New positions. */
  readonly fresh: number;
  /** Positions of the cache that comes in, and of that which goes out. */
  readonly past: number;
  readonly total: number;
  /** Positions before the new ones, int64 [N, 1, 1, 1]; undefined: none. */
  readonly before: string | undefined;
}

/**
 * com.microsoft GroupQueryAttention, as decoders of language models have it: rotary embedding inside, a cache of keys and values
 * whose filled part the lengths of the sequences tell, heads of queries in groups that share keys, causal, maybe with a window.
 */
export function groupQueryAttention(context: CompositeContext): readonly (string | undefined)[] {
  const { node, input, extent } = context;
  refuseInputs(context, { 11: 'head_sink', 12: 'k_scale', 13: 'v_scale' });
  refuseOutputs(context, { 3: 'output_qk' });
  if (attribute(node, 'smooth_softmax', 'int', 0) === 1) throw new Refused('smooth_softmax = 1 is not supported');
  const [heads, shared] = ['num_heads', 'kv_num_heads'].map((name) => attribute(node, name, 'int'));
  const [q, k, v] = projected(context, heads, shared);
  const places = placesOf(context, extent(q, 2));
  const angles = attribute(node, 'do_rotary', 'int', 0) ? anglesOf(context, places) : undefined;
  const interleaved = attribute(node, 'rotary_interleaved', 'int', 0) !== 0;
  const turn = (value: string) =>
    angles ? turned(context, value, { heads: 0, angles, interleaved, size: 2 * extent(needed(context, 7), 1) }) : value;
  const [queries, keys] = [turn(q), turn(k)];
  const [allKeys, allValues] = [keys, v].map((own, at) => cached(context, input(3 + at), own, places));
  const scale = attribute(node, 'scale', 'float', 0) || 1 / Math.sqrt(extent(queries, 3));
  const softcap = attribute(node, 'softcap', 'float', 0);
  const bias = sumOfBiases(context, [input(10), seenBias(context, places)]);
  const { result } = scaledAttention(context, { q: queries, k: allKeys, v: allValues, scale, softcap, bias });
  return [mergeHeads(context, result), allKeys, allValues];
}

/** Queries, keys and values per head; packed ones apart. */
function projected(context: CompositeContext, heads: number, shared: number): readonly string[] {
  const { emit, input, extent } = context;
  const query = needed(context, 0);
  if (input(1) !== undefined)
    return [query, needed(context, 1), needed(context, 2)].map((value, at) =>
      splitHeads(context, value, at === 0 ? heads : shared),
    );
  const size = extent(query, 2) / (heads + 2 * shared);
  if (!Number.isInteger(size)) throw new Refused(`${extent(query, 2)} are no queries, keys and values of these heads`);
  const parts = parted(emit, query, [heads * size, shared * size, shared * size], 2);
  return parts.map((value, at) => splitHeads(context, value, at === 0 ? heads : shared));
}

function placesOf(context: CompositeContext, fresh: number): Places {
  const { emit, f, input, extent } = context;
  const past = input(3) === undefined ? 0 : extent(input(3)!, 2);
  const longest = emit.constantOf(needed(context, 6));
  if (longest === undefined) throw new Refused('expected a total_sequence_length that shapes tell');
  const [length] = toNumbers(longest);
  const total = Math.max(length, past);
  // The first part of a text stands alone, however long its cache is.
  if (fresh === length) return { fresh, past, total, before: undefined };
  // A length of the input is less by one.
  const ends = castTo(emit, needed(context, 5), 'int64');
  return { fresh, past, total, before: reshaped(emit, f('Add', ends, count(context, 1 - fresh)), [-1, 1, 1, 1]) };
}

function count({ emit }: CompositeContext, value: number): string {
  return emit.constant(tensorFrom('int64', [], [value]));
}

/** Places 0, 1, ... as int64 of a shape. */
function steps({ emit }: CompositeContext, dims: readonly number[], of = (index: number) => index): string {
  return emit.constant(
    tensorFrom(
      'int64',
      dims,
      Array.from({ length: elementCount(dims) }, (_, i) => of(i)),
    ),
  );
}

/** Cosines and sines [N, length, pairs] of the new positions. */
function anglesOf(context: CompositeContext, { fresh, before }: Places): readonly string[] {
  const { emit, f, input } = context;
  const own = steps(context, [1, fresh]);
  const given = input(9);
  const positions = given ?? (before === undefined ? own : f('Add', reshaped(emit, before, [-1, 1]), own));
  return [7, 8].map((index) => atPositions(context, needed(context, index), positions));
}

/** The cache [N, heads, total, size] with new keys or values behind those that are there, zero behind them. */
function cached(context: CompositeContext, past: string | undefined, own: string, places: Places): string {
  const { emit, f, extent } = context;
  const { fresh, total, before } = places;
  const [batch, heads, , size] = [0, 1, 2, 3].map((axis) => extent(own, axis));
  const zeros = (length: number) =>
    emit.constant(
      tensorFrom('float32', [batch, heads, length, size], new Array(batch * heads * length * size).fill(0)),
    );
  const filled = (value: string, length: number) =>
    length === total ? value : joined(emit, [value, zeros(total - length)], 2);
  if (before === undefined) return filled(own, fresh);
  const place = steps(context, [1, 1, total, 1]);
  const behind = f('Sub', place, before);
  // Each place reads the new position that belongs there, or any.
  const clipped = f('Min', f('Max', behind, count(context, 0)), count(context, fresh - 1));
  const news =
    fresh === 1
      ? own
      : emit.node('GatherElements', [own, f('Expand', clipped, int64s(emit, [batch, heads, total, size]))], {
          axis: 2,
        });
  const isNew = f('And', f('GreaterOrEqual', behind, count(context, 0)), f('Less', behind, count(context, fresh)));
  const isOld = f('Less', place, before);
  const old = past === undefined ? zeros(total) : filled(past, places.past);
  return f('Where', isNew, news, f('Where', isOld, old, 0));
}

/** What hides keys that a query does not see: [N or 1, 1, queries, keys]. */
function seenBias(context: CompositeContext, { fresh, total, before }: Places): string {
  const { f, node } = context;
  const dims = [1, 1, fresh, total];
  const window = attribute(node, 'local_window_size', 'int', -1);
  const start = before ?? count(context, 0);
  // Key j is seen by query i when j - i <= before, and not further back than the window.
  const distance = (offset: number) =>
    steps(context, dims, (index) => (index % total) - Math.floor(index / total) + offset);
  const seen = f('LessOrEqual', distance(0), start);
  const near = window < 0 ? seen : f('And', seen, f('Greater', distance(window), start));
  return f('Where', near, 0, -Infinity);
}
