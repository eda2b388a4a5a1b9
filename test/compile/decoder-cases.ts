import type { Tensor } from '../../lib/ir/tensor';
import { fromDense, toDense } from '../../lib/ops/dense';
import { float, integers, uniform } from '../ops/op-case';
import { bytes, type CompositeCase, codes } from './composite-cases';

/** Heads of queries, those of keys, and their size. */
const [HEADS, SHARED, SIZE] = [4, 2, 16];
const counts = { num_heads: HEADS, kv_num_heads: SHARED };

/** Queries, keys and values of `fresh` new positions of each sequence. */
const news = (batch: number, fresh: number): readonly Tensor[] =>
  [HEADS, SHARED, SHARED].map((heads, at) => uniform([batch, fresh, heads * SIZE], at + 1));
const past = (batch: number, length: number): readonly Tensor[] =>
  [4, 5].map((seed) => uniform([batch, SHARED, length, SIZE], seed));
/** Lengths, less by one, and the longest. */
const lengths = (longest: number, ...each: readonly number[]): readonly Tensor[] => [
  bytes(
    'int32',
    [each.length],
    each.map((length) => length - 1),
  ),
  bytes('int32', [1], [longest]),
];
const tables = (pairs = SIZE / 2): readonly Tensor[] => [6, 7].map((seed) => uniform([20, pairs], seed));
const nothing: readonly undefined[] = [undefined, undefined];

/** Ids that look up rows of a table of 5 rows. */
const ids = bytes('int32', [2, 3], [0, 4, 2, 2, 1, 3]);

const nibbles = (type: 'int4' | 'uint4', dims: readonly number[]): Tensor => {
  const values = Array.from(toDense(integers('int8', dims, 0, 15, 3), 'float32').data);
  const data = type === 'int4' ? Int8Array.from(values.map((value) => value - 8)) : Uint8Array.from(values);
  return fromDense({ type, dims, data });
};

const TABLES: readonly CompositeCase[] = (
  [
    ['4 bits in bytes', 'uint8', 32, 4, [5, 16], undefined],
    ['4 bits in bytes, zero points', 'uint8', 32, 4, [5, 16], bytes('uint8', [5, 1], [3, 130, 7, 255, 16])],
    ['signed', 'int4', 32, 4, [5, 32], undefined],
    ['unsigned', 'uint4', 32, 4, [5, 32], undefined],
    ['8 bits', 'uint8', 32, 8, [5, 32], undefined],
  ] as const
).map(([title, type, width, bits, dims, zeros]) => ({
  op: 'GatherBlockQuantized',
  title,
  inputs: [
    type === 'uint8' ? codes(type, dims, 3) : nibbles(type, dims),
    ids,
    uniform([5, width / 16], 4),
    ...(zeros ? [zeros] : []),
  ],
  attributes: { block_size: 16, bits, gather_axis: 0, quantize_axis: 1 },
  constants: [0, 2, 3],
}));

/** GroupQueryAttention, as decoders of language models have it. */
const ATTENTION: readonly CompositeCase[] = [
  { title: 'the first positions', inputs: [...news(2, 5), ...nothing, ...lengths(5, 5, 5)] },
  { title: 'one more', inputs: [...news(1, 1), ...past(1, 6), ...lengths(7, 7)] },
  { title: 'one more, with lengths', inputs: [...news(2, 1), ...past(2, 6), ...lengths(7, 7, 4)] },
  { title: 'several more', inputs: [...news(1, 3), ...past(1, 6), ...lengths(9, 9)] },
  {
    title: 'rotary embedding inside',
    inputs: [...news(2, 1), ...past(2, 6), ...lengths(7, 7, 4), ...tables()],
    attributes: { ...counts, do_rotary: 1 },
  },
  {
    title: 'rotary embedding inside of the first positions, pairs side by side',
    inputs: [...news(1, 5), ...nothing, ...lengths(5, 5), ...tables()],
    attributes: { ...counts, do_rotary: 1, rotary_interleaved: 1 },
  },
  {
    title: 'rotary embedding inside of several more',
    inputs: [...news(1, 3), ...past(1, 6), ...lengths(9, 9), ...tables()],
    attributes: { ...counts, do_rotary: 1 },
  },
  {
    title: 'all packed',
    inputs: [uniform([1, 1, (HEADS + 2 * SHARED) * SIZE]), ...nothing, ...past(1, 6), ...lengths(7, 7), ...tables()],
    attributes: { ...counts, do_rotary: 1 },
  },
  {
    title: 'a window, scores bent, a scale',
    inputs: [...news(1, 1), ...past(1, 8), ...lengths(9, 9)],
    attributes: { ...counts, local_window_size: 4, softcap: float(0.8), scale: float(0.3) },
  },
  {
    title: 'a window over the first positions',
    inputs: [...news(1, 6), ...nothing, ...lengths(6, 6)],
    attributes: { ...counts, local_window_size: 3 },
  },
  {
    title: 'a bias of scores',
    inputs: [...news(1, 1), ...past(1, 6), ...lengths(7, 7), ...nothing, undefined, uniform([1, HEADS, 1, 7], 9)],
  },
].map((item) => ({ op: 'GroupQueryAttention', outputs: 3, attributes: counts, constants: [6, 7, 8], ...item }));

/** What decoders of language models have of com.microsoft. */
export const DECODERS: readonly CompositeCase[] = [...ATTENTION, ...TABLES];
