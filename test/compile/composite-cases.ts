import { type Tensor, tensorFrom } from '../../lib/ir/tensor';
import { float, floats, type OpCase, uniform } from '../ops/op-case';

/** One composite node, for comparison of the engine with onnxruntime. */
export interface CompositeCase extends OpCase {
  /** Inputs that are constant, as they are in models; all others are fed. */
  readonly constants?: readonly number[];
  /** What onnxruntime gets instead, where it lacks a form. */
  readonly oracle?: Partial<OpCase>;
}

const bools = (dims: readonly number[], values: readonly number[]): Tensor => tensorFrom('bool', dims, values);
const ints = (...values: readonly number[]): Tensor => tensorFrom('int64', [values.length], values);

const heads = [uniform([2, 4, 3, 8]), uniform([2, 4, 5, 8], 2), uniform([2, 4, 5, 6], 3)];
const grouped = [uniform([2, 3, 32]), uniform([2, 5, 16], 2), uniform([2, 5, 12], 3)];
const groups = { q_num_heads: 4, kv_num_heads: 2 };
const past = [uniform([2, 4, 2, 8], 4), uniform([2, 4, 2, 6], 5)];

const ATTENTION: readonly CompositeCase[] = [
  { title: 'heads apart', inputs: heads },
  { title: 'groups of heads, causal', inputs: grouped, attributes: { ...groups, is_causal: 1 } },
  { title: 'a bias per head', inputs: [...heads, uniform([4, 3, 5], 6)], attributes: { scale: float(0.3) } },
  {
    title: 'a constant mask',
    inputs: [...heads, bools([3, 5], [1, 1, 0, 1, 0, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1])],
    constants: [3],
  },
  {
    title: 'a mask, causal',
    inputs: [...heads, bools([3, 5], [1, 0, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 0])],
    attributes: { is_causal: 1 },
  },
  { title: 'scores bent', inputs: heads, attributes: { softcap: float(0.5) } },
  { title: 'scores bent, then a bias', inputs: [...heads, uniform([3, 5], 6)], attributes: { softcap: float(0.5) } },
  {
    title: 'a cache, causal, all outputs',
    inputs: [...heads, undefined, ...past],
    attributes: { is_causal: 1 },
    outputs: 3,
  },
  ...[0, 1, 2, 3].map((mode) => ({
    title: `scores shown in mode ${mode}`,
    inputs: [...heads, uniform([3, 7], 6), ...past],
    attributes: { qk_matmul_output_mode: mode, softcap: float(0.7) },
    outputs: 4,
  })),
  {
    title: 'a mask shorter than the keys',
    inputs: [...heads, floats([1, 2, 3], [3, 1])],
    opset: 24,
    oracle: {
      inputs: [
        ...heads,
        floats(
          [
            1,
            -Infinity,
            -Infinity,
            -Infinity,
            -Infinity,
            2,
            -Infinity,
            -Infinity,
            -Infinity,
            -Infinity,
            3,
            -Infinity,
            -Infinity,
            -Infinity,
            -Infinity,
          ],
          [3, 5],
        ),
      ],
    },
  },
  { title: 'lengths', inputs: [...heads, undefined, undefined, undefined, ints(2, 5)], opset: 24, constants: [6] },
  {
    title: 'lengths that are fed',
    inputs: [...heads, uniform([3, 5], 6), undefined, undefined, ints(4, 3)],
    opset: 24,
  },
].map((item) => ({ op: 'Attention', opset: 23, ...item }));

const caches = [uniform([16, 4], 2), uniform([16, 4], 3)];
const places = tensorFrom('int64', [2, 3], [0, 5, 2, 7, 7, 15]);

const ROTARY: readonly CompositeCase[] = [
  { title: 'heads apart', inputs: [uniform([2, 4, 3, 8]), ...caches, places] },
  { title: 'constant positions', inputs: [uniform([2, 4, 3, 8]), ...caches, places], constants: [1, 2, 3] },
  { title: 'heads together', inputs: [uniform([2, 3, 32]), ...caches, places], attributes: { num_heads: 4 } },
  {
    title: 'neighbours',
    inputs: [uniform([2, 3, 32]), ...caches, places],
    attributes: { num_heads: 4, interleaved: 1 },
  },
  {
    title: 'a part of each head',
    inputs: [uniform([2, 4, 3, 12]), ...caches, places],
    attributes: { rotary_embedding_dim: 8 },
  },
  { title: 'a cache per position', inputs: [uniform([2, 4, 3, 8]), uniform([2, 3, 4], 2), uniform([2, 3, 4], 3)] },
].map((item) => ({ op: 'RotaryEmbedding', opset: 23, ...item }));

const [a, b, c] = [uniform([2, 3, 4]), uniform([2, 4, 5], 2), uniform([5, 6], 3)];

const EINSUM: readonly CompositeCase[] = [
  { title: 'bij,bjk->bik', inputs: [a, b] },
  { title: 'bij,bjk', inputs: [a, b] },
  { title: 'bij, bjk -> kbi', inputs: [a, b] },
  { title: 'bij,bjk,kl->lib', inputs: [a, b, c] },
  { title: '...ij,...jk->...ik', inputs: [uniform([2, 3, 4]), b] },
  { title: 'i...j->j...', inputs: [a] },
  { title: 'ij,kl->iljk', inputs: [uniform([2, 3]), uniform([4, 2], 2)] },
  { title: 'bhwc,hkc->bhwk', inputs: [uniform([2, 3, 4, 5]), uniform([3, 2, 5], 2)] },
  { title: 'bshd,bthd->bhst', inputs: [uniform([2, 3, 4, 5]), uniform([2, 6, 4, 5], 2)] },
  { title: 'ijk->', inputs: [a] },
  { title: 'i,i->', inputs: [floats([1, 2, 3]), floats([4, 5, 6])] },
  { title: 'ij,ij->ij', inputs: [uniform([2, 3]), uniform([2, 3], 2)] },
].map((item) => ({ op: 'Einsum', attributes: { equation: item.title }, ...item }));

/** Composite operators of the standard domain. */
export const STANDARD: readonly CompositeCase[] = [...ATTENTION, ...ROTARY, ...EINSUM];
