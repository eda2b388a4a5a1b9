import { elementCount, tensorFrom } from '../../../lib/ir/tensor';
import { type Maker, Unfit, type Value } from '../maker';
import type { Draw, Draws } from './draw';

type Byte = 'uint8' | 'int8';

/** Scales are powers of two and sums of products have few bits: float32 sums are exact in every order, and so are the bytes. */
const scaleOf = (m: Maker): number => 2 ** m.integer(-7, -2);

const zeroOf = (m: Maker, type: Byte): number => (type === 'uint8' ? m.integer(0, 255) : m.integer(-128, 127));

/** Scale and zero point per tensor, per index of an axis, or per block of it. */
function grid(m: Maker, type: Byte, dims: readonly number[]) {
  // The engine has one scale per tensor; others it names.
  const kind = dims.length === 0 || m.chance(0.9) ? 'tensor' : m.pick(['axis', 'blocks'] as const);
  const axis = dims.length === 0 ? 0 : m.integer(0, dims.length - 1);
  const divisors = kind === 'blocks' ? [2, 3, 4, 5].filter((size) => dims[axis] % size === 0) : [];
  if (kind === 'blocks' && divisors.length === 0) throw new Unfit('no blocks');
  const block_size = kind === 'blocks' ? m.pick(divisors) : 0;
  const shape =
    kind === 'tensor'
      ? []
      : kind === 'axis'
        ? [dims[axis]]
        : dims.map((dim, i) => (i === axis ? dim / block_size : dim));
  const count = elementCount(shape);
  const scale = m.constant(
    tensorFrom(
      'float32',
      shape,
      Array.from({ length: count }, () => scaleOf(m)),
    ),
  );
  const zero = m.constant(
    tensorFrom(
      type,
      shape,
      Array.from({ length: count }, () => zeroOf(m, type)),
    ),
  );
  const attributes = kind === 'tensor' ? {} : { axis, ...(kind === 'blocks' ? { block_size } : {}) };
  return { scale, zero, attributes };
}

const quantize: Draw = (m, op) => {
  const x = m.want({ ranks: [0, 5], within: [-1e6, 1e6] });
  const type = m.pick(['uint8', 'int8'] as const);
  const { scale, zero, attributes } = grid(m, type, x.dims);
  return [
    m.node(
      op,
      type === 'uint8' && m.chance(0.2) && scale.dims.length === 0 ? [x, scale] : [x, scale, zero],
      attributes,
    ),
  ];
};

const dequantize: Draw = (m, op) => {
  const x = m.want({ types: [m.pick(['uint8', 'int8'])], ranks: [0, 5] });
  const { scale, zero, attributes } = grid(m, x.type as Byte, x.dims);
  return [m.node(op, m.chance(0.8) ? [x, scale, zero] : [x, scale], attributes)];
};

const scalars = (m: Maker, type: Byte): [Value, Value] => [
  m.scalar('float32', scaleOf(m)),
  m.scalar(type, zeroOf(m, type)),
];

const quantizedConv: Draw = (m, op) => {
  const type = m.pick(['uint8', 'int8'] as const);
  const x = m.want({ types: [type] }, [m.integer(1, 2), m.integer(1, 6), m.integer(2, 9), m.integer(2, 9)]);
  const groups = m.pick([1, 1, x.dims[1]]);
  const filters = groups * m.integer(1, 3);
  const kernel = [m.integer(1, Math.min(3, x.dims[2])), m.integer(1, Math.min(3, x.dims[3]))];
  // onnxruntime takes int8 with int8 alone, and one zero point for all weights.
  const weightType = type === 'int8' ? 'int8' : m.pick(['int8', 'uint8'] as const);
  const perChannel = m.chance(0.5);
  const scales = Array.from({ length: filters }, () => scaleOf(m));
  const scale = perChannel ? m.constant(tensorFrom('float32', [filters], scales)) : m.scalar('float32', scales[0]);
  const zero = weightType === 'int8' ? 0 : m.integer(110, 140);
  const zeros = perChannel
    ? m.constant(
        tensorFrom(
          weightType,
          [filters],
          scales.map(() => zero),
        ),
      )
    : m.scalar(weightType, zero);
  const within = weightType === 'int8' ? ([-30, 30] as const) : ([100, 150] as const);
  const w = m.fresh(weightType, [filters, x.dims[1] / groups, ...kernel], within, true);
  const bias = m.chance(0.6) ? [m.fresh('int32', [filters], [-3000, 3000], true)] : [];
  const attributes = {
    strides: [m.integer(1, 2), m.integer(1, 2)],
    pads: [0, 1, 2, 3].map((i) => m.integer(0, kernel[i % 2] - 1)),
    group: groups,
  };
  return [m.node(op, [x, ...scalars(m, type), w, scale, zeros, ...scalars(m, type), ...bias], attributes)];
};

const quantizedProduct: Draw = (m, op) => {
  const type = m.pick(['uint8', 'int8'] as const);
  const x = m.want({ types: [type], ranks: [2, 4] });
  const weightType = type === 'int8' ? 'int8' : m.pick(['int8', 'uint8'] as const);
  const within = weightType === 'int8' ? ([-30, 30] as const) : ([100, 150] as const);
  const w = m.fresh(weightType, [x.dims.at(-1)!, m.integer(1, 12)], within, m.isBody || m.chance(0.95));
  const zero = m.scalar(weightType, weightType === 'int8' ? 0 : m.integer(110, 140));
  return [m.node(op, [x, ...scalars(m, type), w, m.scalar('float32', scaleOf(m)), zero, ...scalars(m, type)])];
};

export const QUANTIZERS: Draws = {
  QuantizeLinear: quantize,
  DequantizeLinear: dequantize,
  QLinearConv: quantizedConv,
  QLinearMatMul: quantizedProduct,
};
