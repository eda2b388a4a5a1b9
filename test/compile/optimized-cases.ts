import { type Tensor, tensorFrom, toNumbers } from '../../lib/ir/tensor';
import { float, floats, uniform } from '../ops/op-case';
import { bytes, type CompositeCase, codes } from './composite-cases';

const scale = (value: number): Tensor => tensorFrom('float32', [], [value]);
const hidden = uniform([2, 3, 8]);
const scores = [uniform([2, 3, 4]), uniform([1, 3, 4], 2)];
const [embeddings, factors] = [codes('uint8', [5, 8], 2), codes('uint8', [8], 3)];
const grids = [0.02, 0.03, 0.01, 0.02, 0.04].map(scale);
const middles = [120, 3, 200, 128, 0].map((zero) => bytes('uint8', [], [zero]));

const convolved = [floats([0.01, 0.02, 0.03, 0.04]), bytes('int8', [4], [0, 0, 0, 0]), scale(0.05), middles[4]];
const pooled = [grids[0], middles[0], scale(0.0303), middles[2]];

/** Layers over integers, of images [1, 6, 5, 3] with the channels last and [1, 3, 6, 5] with the channels first. */
const QUANTIZED_LAYERS: readonly CompositeCase[] = [
  { channels_last: 1, dims: [1, 6, 5, 3] },
  { channels_last: 0, dims: [1, 3, 6, 5] },
].flatMap(({ channels_last, dims }) => {
  const title = channels_last ? 'channels last' : 'channels first';
  const x = codes('uint8', dims, 7);
  const filters = codes('int8', [4, 3, 3, 3], 8);
  const sums = bytes('int32', [4], [100, -2000, 5000, 7]);
  return [
    {
      op: 'QLinearConv',
      title,
      inputs: [x, scale(0.01), middles[0], filters, ...convolved, sums],
      attributes: { channels_last, pads: [1, 0, 1, 2], strides: [1, 2] },
      constants: [1, 2, 3, 4, 5, 6, 7, 8],
    },
    {
      op: 'QLinearAveragePool',
      title,
      inputs: [x, ...pooled],
      attributes: { channels_last, kernel_shape: [2, 2], strides: [2, 1] },
      constants: [1, 2, 3, 4],
    },
    {
      op: 'QLinearGlobalAveragePool',
      title,
      inputs: [x, ...pooled],
      attributes: { channels_last },
      constants: [1, 2, 3, 4],
    },
  ];
});

/** Operators that onnxruntime's optimiser and its quantizers write besides. */
const OTHERS: readonly CompositeCase[] = [
  {
    op: 'NhwcMaxPool',
    title: '',
    inputs: [codes('uint8', [2, 7, 5, 3], 1)],
    attributes: { kernel_shape: [3, 2], pads: [1, 0, 1, 1] },
  },
  {
    op: 'NhwcMaxPool',
    title: 'int8',
    inputs: [codes('int8', [1, 6, 6, 2], 1)],
    attributes: { kernel_shape: [2, 2], strides: [2, 2] },
  },
  {
    op: 'QuantizeLinear',
    title: 'uint8',
    inputs: [hidden, scale(0.013), bytes('uint8', [], [120])],
    constants: [1, 2],
  },
  {
    op: 'DequantizeLinear',
    title: 'along an axis',
    inputs: [codes('int8', [2, 3, 8], 1), floats([0.1, 0.2, 0.3]), bytes('int8', [3], [1, 0, -5])],
    attributes: { axis: 1 },
    constants: [1, 2],
  },
  { op: 'Trilu', title: 'upper', inputs: [uniform([3, 4])], attributes: { upper: 1 } },
  {
    op: 'BiasSoftmax',
    title: 'the last axis',
    inputs: scores,
    attributes: { axis: 2, is_inner_broadcast: 0 },
    constants: [1],
    oracle: {
      op: 'Softmax',
      domain: '',
      attributes: { axis: 2 },
      inputs: [
        floats(
          toNumbers(scores[0]).map((value, i) => value + toNumbers(scores[1])[i % 12]),
          [2, 3, 4],
        ),
      ],
    },
  },
  {
    op: 'QEmbedLayerNormalization',
    title: '',
    inputs: [
      bytes('int32', [2, 3], [0, 4, 2, 1, 1, 3]),
      bytes('int32', [2, 3], [0, 0, 1, 0, 1, 1]),
      embeddings,
      codes('uint8', [6, 8], 4),
      codes('uint8', [2, 8], 5),
      factors,
      codes('uint8', [8], 6),
      bytes('int32', [2, 3], [1, 1, 0, 1, 1, 1]),
      ...grids,
      ...middles,
    ],
    attributes: { epsilon: float(1e-5) },
    constants: [2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17],
    outputs: 2,
  },
  ...[
    floats([0.01, 0.02]),
    floats(
      Array.from({ length: 48 }, (_, row) => 0.004 + 0.0003 * row),
      [2, 24],
    ),
  ].map(lstmOfCodes),
];

/** An LSTM of both directions over weights of int8, with one scale for each direction or row. */
function lstmOfCodes(scales: Tensor): CompositeCase {
  const [size, rows] = [5, 24];
  const x = uniform([4, 2, size]);
  const weights = [codes('int8', [2, size, rows], 1), codes('int8', [2, rows / 4, rows], 2)];
  const values = toNumbers(scales);
  const middle = (index: number) => (index % 3) - 1;
  const zeros = bytes(
    'int8',
    scales.dims,
    values.map((_, index) => middle(index)),
  );
  const bias = uniform([2, 2 * rows], 3);
  const plain = weights.map((tensor) => {
    const inner = tensor.dims[1];
    const numbers = toNumbers(tensor);
    const at = (direction: number, row: number, k: number) => {
      const grid = values.length === 2 ? direction : direction * rows + row;
      return (numbers[(direction * inner + k) * rows + row] - middle(grid)) * values[grid];
    };
    const data = Array.from({ length: numbers.length }, (_, i) =>
      at(Math.floor(i / (inner * rows)), Math.floor(i / inner) % rows, i % inner),
    );
    return floats(data, [2, rows, inner]);
  });
  const attributes = { hidden_size: rows / 4, direction: 'bidirectional' };
  return {
    op: 'DynamicQuantizeLSTM',
    title: `scales [${scales.dims}]`,
    inputs: [x, ...weights, bias, undefined, undefined, undefined, undefined, scales, zeros, scales, zeros],
    attributes,
    constants: [1, 2, 3, 8, 9, 10, 11],
    outputs: 3,
    oracle: { op: 'LSTM', domain: '', inputs: [x, ...plain, bias], attributes },
  };
}

/** Operators of com.microsoft that onnxruntime's optimiser and its quantizers write, besides fused layers and attention. */
export const OPTIMIZED: readonly CompositeCase[] = [...OTHERS, ...QUANTIZED_LAYERS];
