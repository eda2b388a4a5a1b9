import { type Tensor, tensorFrom } from '../../lib/ir/tensor';
import { float, floats, integers, type OpCase, uniform } from '../ops/op-case';

/** One composite node, for comparison of the engine with onnxruntime. */
export interface CompositeCase extends OpCase {
  /** Inputs that are constant, as they are in models; all others are fed. */
  readonly constants?: readonly number[];
  /** What onnxruntime gets instead, where it lacks a form. */
  readonly oracle?: Partial<OpCase>;
  /** Outputs that are left out. */
  readonly left?: readonly number[];
}

const bools = (dims: readonly number[], values: readonly number[]): Tensor => tensorFrom('bool', dims, values);
export const ints = (...values: readonly number[]): Tensor => tensorFrom('int64', [values.length], values);

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
    title: 'lengths, causal',
    inputs: [...heads, undefined, undefined, undefined, ints(4, 5)],
    attributes: { is_causal: 1 },
    opset: 24,
  },
  {
    title: 'lengths that are fed',
    inputs: [...heads, uniform([3, 5], 6), undefined, undefined, ints(4, 3)],
    opset: 24,
  },
].map((item) => ({ op: 'Attention', opset: 23, ...item }));

export const caches = [uniform([16, 4], 2), uniform([16, 4], 3)];
export const places = tensorFrom('int64', [2, 3], [0, 5, 2, 7, 7, 15]);

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

export const bytes = (type: 'uint8' | 'int8' | 'int32', dims: readonly number[], values: readonly number[]): Tensor =>
  tensorFrom(type, dims, values);
export const codes = (type: 'uint8' | 'int8', dims: readonly number[], seed: number): Tensor =>
  type === 'uint8' ? integers('uint8', dims, 0, 255, seed) : integers('int8', dims, -128, 127, seed);

const bright = tensorFrom(
  'uint8',
  [1, 120, 3, 3],
  Array.from({ length: 1080 }, (_, i) => 255 - (i % 7)),
);

/** Two filters, the second of them `less` than it is. */
function brightFilters(less: number): Tensor {
  const values = Array.from({ length: 2160 }, (_, i) => 255 - (i % 5) - (i < 1080 ? 0 : less));
  return tensorFrom('uint8', [2, 120, 3, 3], values);
}

const INTEGERS: readonly CompositeCase[] = [
  { op: 'DynamicQuantizeLinear', title: 'both signs', inputs: [floats([0, 2, -3, -2.5, 1.34, 0.5])], outputs: 3 },
  { op: 'DynamicQuantizeLinear', title: 'above 0', inputs: [floats([1, 2.1, 1.3, 2.5, 3.34, 4])], outputs: 3 },
  { op: 'DynamicQuantizeLinear', title: 'below 0', inputs: [floats([-1, -2.1, -1.3, -2.5])], outputs: 3 },
  { op: 'DynamicQuantizeLinear', title: 'many', inputs: [uniform([3, 50])], outputs: 3 },
  {
    op: 'MatMulInteger',
    title: 'uint8 and int8',
    inputs: [
      codes('uint8', [2, 3, 20], 1),
      codes('int8', [20, 4], 2),
      bytes('uint8', [], [120]),
      bytes('int8', [], [3]),
    ],
    constants: [1, 2, 3],
  },
  { op: 'MatMulInteger', title: 'no zero points, fed', inputs: [codes('uint8', [3, 9], 1), codes('uint8', [9, 4], 2)] },
  {
    op: 'MatMulInteger',
    title: 'sums beyond 24 bits, a zero point per column',
    inputs: [
      tensorFrom('uint8', [2, 700], new Array(1400).fill(255)),
      tensorFrom(
        'uint8',
        [700, 3],
        Array.from({ length: 2100 }, (_, i) => 255 - (i % 5)),
      ),
      bytes('uint8', [1], [1]),
      bytes('uint8', [3], [0, 2, 4]),
    ],
    constants: [1, 2, 3],
    tolerance: 0,
  },
  {
    op: 'MatMulInteger',
    title: 'sums beyond 24 bits, fed',
    inputs: [
      tensorFrom('uint8', [1, 300], new Array(300).fill(255)),
      tensorFrom('uint8', [300, 1], new Array(300).fill(253)),
    ],
    tolerance: 0,
  },
  {
    op: 'ConvInteger',
    title: 'padding is the zero point',
    inputs: [
      codes('uint8', [1, 2, 5, 5], 1),
      codes('uint8', [3, 2, 3, 3], 2),
      bytes('uint8', [], [7]),
      bytes('uint8', [], [9]),
    ],
    attributes: { pads: [1, 1, 1, 1], strides: [2, 2] },
    constants: [1, 2, 3],
  },
  {
    op: 'ConvInteger',
    title: 'sums beyond 24 bits, a zero point per filter',
    inputs: [bright, brightFilters(0), bytes('uint8', [], [1]), bytes('uint8', [2], [0, 3])],
    oracle: { inputs: [bright, brightFilters(3), bytes('uint8', [], [1])] },
    constants: [1, 2, 3],
    tolerance: 0,
  },
];

/** Composite operators of the standard domain. */
export const STANDARD: readonly CompositeCase[] = [
  ...ATTENTION,
  ...ROTARY,
  ...EINSUM,
  ...INTEGERS,
  { op: 'Swish', title: 'alpha left out', inputs: [uniform([2, 7])], opset: 24 },
  { op: 'Swish', title: 'alpha', inputs: [uniform([2, 7])], attributes: { alpha: float(1.5) }, opset: 24 },
  {
    op: 'SimplifiedLayerNormalization',
    title: 'last axis',
    inputs: [uniform([2, 3, 8]), uniform([8], 2)],
    attributes: { epsilon: float(1e-3) },
    opset: 16,
  },
];
