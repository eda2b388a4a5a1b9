import { type Tensor, tensorFrom, toNumbers } from '../../lib/ir/tensor';
import { float, floats, integers, uniform } from '../ops/op-case';
import { bytes, type CompositeCase, caches, codes, ints, places } from './composite-cases';
import { DECODERS } from './decoder-cases';
import { OPTIMIZED } from './optimized-cases';

const image = uniform([1, 2, 5, 5]);
const filters = uniform([3, 2, 3, 3], 2);
const activation = (name: string, ...parameters: number[]): CompositeCase['attributes'] => ({
  activation: name,
  activation_params: { kind: 'floats', value: parameters },
});
const hidden = uniform([2, 3, 8]);
const norms = [uniform([8], 3), uniform([8], 4)];

/** A factor with the extents that FusedMatMul turns into `dims`. */
function turnedBack(
  dims: readonly number[],
  side: 'A' | 'B',
  given: Readonly<Record<string, number | undefined>>,
  seed: number,
): Tensor {
  const batch = dims.slice(0, -2);
  const [row, column] = given[`trans${side}`] ? [dims.at(-1)!, dims.at(-2)!] : dims.slice(-2);
  return uniform(given[`transBatch${side}`] ? [row, ...batch, column] : [...batch, row, column], seed);
}

const LAYERS: readonly CompositeCase[] = [
  { op: 'Gelu', title: '', inputs: [hidden] },
  { op: 'BiasGelu', title: '', inputs: [hidden, uniform([8], 2)], constants: [1] },
  { op: 'FastGelu', title: 'no bias', inputs: [hidden] },
  { op: 'FastGelu', title: 'a bias', inputs: [hidden, uniform([8], 2)], constants: [1], tolerance: 1e-4 },
  { op: 'QuickGelu', title: 'alpha left out', inputs: [hidden] },
  { op: 'QuickGelu', title: 'alpha', inputs: [hidden], attributes: { alpha: float(1) } },
  {
    op: 'FusedConv',
    title: 'Relu',
    inputs: [image, filters, uniform([3], 3)],
    attributes: { activation: 'Relu' },
    constants: [1, 2],
  },
  {
    op: 'FusedConv',
    title: 'LeakyRelu, no bias',
    inputs: [image, filters],
    attributes: { ...activation('LeakyRelu', 0.25), pads: [1, 1, 1, 1] },
    constants: [1],
  },
  {
    op: 'FusedConv',
    title: 'Clip',
    inputs: [image, filters, uniform([3], 3)],
    attributes: activation('Clip', -0.2, 0.5),
    constants: [1, 2],
  },
  {
    op: 'FusedConv',
    title: 'HardSigmoid',
    inputs: [image, filters, uniform([3], 3)],
    attributes: activation('HardSigmoid', 0.3, 0.4),
    constants: [1, 2],
  },
  {
    op: 'FusedConv',
    title: 'a sum, then Relu',
    inputs: [image, filters, uniform([3], 3), uniform([1, 3, 3, 3], 4)],
    attributes: { activation: 'Relu' },
    constants: [1, 2],
  },
  {
    op: 'FusedGemm',
    title: 'LeakyRelu',
    inputs: [uniform([2, 4]), uniform([3, 4], 2), uniform([3], 3)],
    attributes: { activation: 'LeakyRelu', activation_alpha: float(0.1), transB: 1, alpha: float(0.5) },
    constants: [1, 2],
  },
  {
    op: 'FusedGemm',
    title: 'Relu, no bias',
    inputs: [uniform([2, 4]), uniform([4, 3], 2)],
    attributes: { activation: 'Relu' },
    constants: [1],
  },
  {
    op: 'FusedMatMul',
    title: 'alpha',
    inputs: [uniform([2, 3, 4]), uniform([2, 4, 5], 2)],
    attributes: { alpha: float(0.5) },
  },
  {
    op: 'FusedMatMul',
    title: 'both transposed',
    inputs: [uniform([2, 4, 3]), uniform([2, 5, 4], 2)],
    attributes: { transA: 1, transB: 1 },
  },
  ...[
    { transBatchA: 1 },
    { transBatchA: 1, transA: 1 },
    { transBatchB: 1 },
    { transBatchA: 1, transBatchB: 1, transB: 1 },
  ].map((attributes) => ({
    op: 'FusedMatMul',
    title: `axes of the batch turned: ${Object.keys(attributes)}`,
    // Products over the axes that they are to have: A [2, 6, 3, 4], B [2, 6, 4, 5].
    inputs: [turnedBack([2, 6, 3, 4], 'A', attributes, 1), turnedBack([2, 6, 4, 5], 'B', attributes, 2)],
    attributes,
  })),
  {
    op: 'TransposeMatMul',
    title: 'the older name',
    inputs: [uniform([3, 4]), uniform([5, 4], 2)],
    attributes: { transB: 1 },
    oracle: { op: 'FusedMatMul' },
  },
  {
    op: 'SkipLayerNormalization',
    title: '',
    inputs: [hidden, uniform([2, 3, 8], 2), ...norms],
    attributes: { epsilon: float(1e-3) },
    constants: [2, 3],
  },
  {
    op: 'SkipLayerNormalization',
    title: 'bias, and the sum',
    inputs: [hidden, uniform([2, 3, 8], 2), ...norms, uniform([8], 5)],
    attributes: { epsilon: float(1e-5) },
    constants: [2, 3, 4],
    outputs: 4,
    left: [1, 2],
  },
  {
    op: 'SkipLayerNormalization',
    title: 'no beta',
    inputs: [hidden, uniform([2, 3, 8], 2), norms[0]],
    attributes: { epsilon: float(1e-5) },
    constants: [2],
  },
  {
    op: 'SkipSimplifiedLayerNormalization',
    title: 'and the sum',
    inputs: [hidden, uniform([2, 3, 8], 2), norms[0]],
    attributes: { epsilon: float(1e-5) },
    constants: [2],
    outputs: 4,
    left: [1, 2],
  },
  {
    op: 'SkipSimplifiedLayerNormalization',
    title: 'bias',
    inputs: [hidden, uniform([2, 3, 8], 2), norms[0], norms[1]],
    attributes: { epsilon: float(1e-5) },
    constants: [2, 3],
  },
  {
    op: 'EmbedLayerNormalization',
    title: 'segments and a mask',
    inputs: [
      bytes('int32', [2, 3], [0, 4, 2, 1, 1, 3]),
      bytes('int32', [2, 3], [0, 0, 1, 0, 1, 1]),
      uniform([5, 8]),
      uniform([6, 8], 2),
      uniform([2, 8], 3),
      ...norms,
      bytes('int32', [2, 3], [1, 1, 0, 1, 1, 1]),
    ],
    attributes: { epsilon: float(1e-5) },
    constants: [2, 3, 4, 5, 6],
    outputs: 2,
  },
  {
    op: 'EmbedLayerNormalization',
    title: 'no segments, positions given',
    inputs: [
      bytes('int32', [1, 3], [0, 4, 2]),
      undefined,
      uniform([5, 8]),
      uniform([6, 8], 2),
      undefined,
      ...norms,
      undefined,
      bytes('int32', [1, 3], [5, 1, 0]),
    ],
    attributes: { epsilon: float(1e-5) },
    constants: [2, 3, 5, 6],
    outputs: 2,
    left: [1],
  },
  ...[
    { title: 'one position for all', inputs: [uniform([2, 4, 3, 8]), ints(3), ...caches] },
    { title: 'positions', inputs: [uniform([2, 3, 32]), places, ...caches], attributes: { interleaved: 1 } },
    {
      title: 'a part of each head',
      inputs: [uniform([2, 3, 48]), places, ...caches],
      attributes: { num_heads: 4, rotary_embedding_dim: 8 },
    },
  ].map((item) => ({ op: 'RotaryEmbedding', constants: [2, 3], ...item })),
];

const projection = { num_heads: 2 };
const bert = [uniform([2, 3, 8]), uniform([8, 24], 2), uniform([24], 3)];
const mask = bytes('int32', [2, 3], [1, 1, 0, 1, 1, 1]);
const own = [uniform([2, 3, 8]), uniform([2, 3, 8], 2), uniform([2, 3, 8], 3)];
const own5 = [uniform([2, 3, 8]), uniform([2, 5, 8], 2), uniform([2, 5, 12], 3)];

const packed = uniform([2, 3, 2, 3, 4]);
const packedPair = uniform([2, 5, 2, 2, 4], 2);

/** [N, length, heads, count, size] as `count` tensors [N, length, heads * size]. */
function unpacked(tensor: Tensor): readonly Tensor[] {
  const [n, length, heads, count, size] = tensor.dims;
  const values = toNumbers(tensor);
  const of = (part: number) => values.filter((_, i) => Math.floor(i / size) % count === part);
  return Array.from({ length: count }, (_, part) => floats(of(part), [n, length, heads * size]));
}

const BERT: readonly CompositeCase[] = [
  ...[
    { title: 'no mask', inputs: bert },
    { title: 'a mask of keys', inputs: [...bert, mask] },
    { title: 'a mask of lengths', inputs: [...bert, bytes('int32', [2], [2, 3])] },
    {
      title: 'a mask per query',
      inputs: [...bert, bytes('int32', [2, 3, 3], [1, 0, 0, 1, 1, 0, 1, 1, 1, 1, 0, 1, 0, 1, 1, 1, 1, 1])],
    },
    { title: 'unidirectional', inputs: bert, attributes: { ...projection, unidirectional: 1 } },
    { title: 'a bias of scores', inputs: [...bert, undefined, undefined, uniform([1, 2, 3, 3], 7)] },
    {
      title: 'a past',
      inputs: [...bert, undefined, uniform([2, 2, 2, 4, 4], 8)],
      attributes: { ...projection, unidirectional: 1 },
      outputs: 2,
    },
    {
      title: 'values of another size',
      inputs: [bert[0], uniform([8, 28], 2), uniform([28], 3)],
      attributes: { ...projection, qkv_hidden_sizes: [8, 8, 12] },
    },
  ].map((item) => ({ op: 'Attention', attributes: projection, constants: [1, 2], ...item })),
  ...[
    { title: 'three values', inputs: own5 },
    { title: 'a bias', inputs: [...own, uniform([24], 4)], constants: [3] },
    { title: 'a mask of keys', inputs: [...own, undefined, mask] },
    {
      title: 'a bias of scores',
      inputs: [...own5, undefined, undefined, uniform([2, 2, 3, 5], 7)],
      attributes: { ...projection, scale: float(0.3) },
    },
    { title: 'all packed', inputs: [packed], oracle: { inputs: unpacked(packed) } },
    {
      title: 'keys and values packed',
      inputs: [own[0], packedPair],
      oracle: { inputs: [own[0], ...unpacked(packedPair)] },
    },
    {
      title: 'keys and values in heads',
      inputs: [uniform([2, 3, 8]), uniform([2, 2, 5, 4], 2), uniform([2, 2, 5, 4], 3)],
    },
    {
      title: 'a past',
      inputs: [...own, undefined, undefined, undefined, uniform([2, 2, 2, 4], 4), uniform([2, 2, 2, 4], 5)],
      outputs: 3,
    },
    { title: 'unidirectional', inputs: own, attributes: { ...projection, unidirectional: 1 } },
  ].map((item) => ({ op: 'MultiHeadAttention', attributes: projection, ...item })),
];

const nbits = (title: string, bits: number, zeros?: Tensor): CompositeCase => {
  const [K, N, block] = [40, 3, 16];
  const bytesPerBlock = (block * bits) / 8;
  return {
    op: 'MatMulNBits',
    title,
    inputs: [uniform([2, K]), codes('uint8', [N, 3, bytesPerBlock], 2), uniform([N * 3], 3), ...(zeros ? [zeros] : [])],
    attributes: { K, N, bits, block_size: block },
    constants: [1, 2, 3],
    tolerance: 1e-4,
  };
};

/** A product with weights of 4 bits. */
export const NBITS = { ...nbits('4 bits', 4), domain: 'com.microsoft' };

const scale = (value: number): Tensor => tensorFrom('float32', [], [value]);

const MICROSOFT_INTEGERS: readonly CompositeCase[] = [
  NBITS,
  nbits('4 bits, zero points', 4, integers('uint8', [3 * 2], 0, 255, 5)),
  nbits('4 bits, zero points in float', 4, floats([7, 8, 9, 1, 2, 3, 4, 5, 6.5])),
  nbits('8 bits', 8),
  {
    op: 'DynamicQuantizeMatMul',
    title: 'int8',
    inputs: [uniform([2, 3, 20]), codes('int8', [20, 4], 2), scale(0.02)],
    constants: [1, 2],
  },
  {
    op: 'DynamicQuantizeMatMul',
    title: 'per column, a bias',
    inputs: [
      uniform([3, 20]),
      codes('uint8', [20, 4], 2),
      floats([0.02, 0.01, 0.03, 0.04]),
      bytes('uint8', [4], [120, 128, 0, 3]),
      uniform([4], 4),
    ],
    constants: [1, 2, 3, 4],
  },
  {
    op: 'MatMulIntegerToFloat',
    title: 'all inputs',
    inputs: [
      codes('uint8', [3, 20], 1),
      codes('int8', [20, 4], 2),
      scale(0.01),
      scale(0.02),
      bytes('uint8', [], [120]),
      bytes('int8', [], [3]),
      uniform([4], 4),
    ],
    constants: [1, 2, 3, 4, 5, 6],
  },
];

const QUANTIZED_ATTENTION: readonly CompositeCase[] = [
  { title: 'a mask of keys', more: [mask, bytes('uint8', [], [120]), bytes('int8', [], [3])] },
  { title: 'a scale per column', scales: uniform([24], 5) },
  {
    title: 'a past',
    more: [undefined, bytes('uint8', [], [7]), undefined, uniform([2, 2, 2, 4, 4], 8)],
    outputs: 2,
    attributes: { ...projection, unidirectional: 1 },
  },
].map(({ more = [], scales = scale(0.01), ...item }) => ({
  op: 'QAttention',
  attributes: projection,
  constants: [1, 2, 3, 4, 6, 7],
  inputs: [codes('uint8', [2, 3, 8], 1), codes('int8', [8, 24], 2), uniform([24], 3), scale(0.02), scales, ...more],
  ...item,
}));

/** Operators of com.microsoft, as onnxruntime's optimisers write them. */
export const MICROSOFT: readonly CompositeCase[] = [
  ...LAYERS,
  ...OPTIMIZED,
  ...BERT,
  ...MICROSOFT_INTEGERS,
  ...QUANTIZED_ATTENTION,
  ...DECODERS,
].map((item) => ({
  ...item,
  domain: 'com.microsoft',
}));
