import { elementCount, tensorFrom, type ViewType } from '../../../lib/ir/tensor';
import { float } from '../../ops/op-case';
import { broadcast, LARGEST, type Maker, Unfit, type Value } from '../maker';
import type { Range } from '../numbers';
import { axisOf, type Draw, type Draws, eachOf, someAxes } from './draw';
import { NEAR } from './layers';

/** Reductions: types besides float32, and where their elements lie. */
const REDUCTIONS: Readonly<Record<string, { types?: readonly ViewType[]; within?: Range }>> = {
  ReduceL1: {},
  ReduceL2: {},
  ReduceLogSum: { within: [0.01, 100] },
  ReduceLogSumExp: { within: [-50, 50] },
  ReduceMax: { types: ['int32', 'int64', 'int8', 'uint8'] },
  ReduceMean: {},
  ReduceMin: { types: ['int32', 'int64', 'int8', 'uint8'] },
  ReduceProd: { within: [-2, 2] },
  ReduceSum: { types: ['int32', 'int64'] },
  ReduceSumSquare: {},
};

const reduce: Draw = (m, op) => {
  const { types = [], within } = REDUCTIONS[op];
  const type = types.length > 0 && m.chance(0.04) ? m.pick(types) : 'float32';
  const x = m.want({ types: [type], ranks: [0, 6], ...(within ? { within } : {}) });
  const keepdims = m.pick([{}, { keepdims: 0 }, { keepdims: 1 }]);
  if (x.dims.length === 0 || m.chance(0.15)) return [m.node(op, [x], keepdims)];
  if (m.chance(0.05)) return [m.node(op, [x, m.ints()], { ...keepdims, noop_with_empty_axes: 1 })];
  return [m.node(op, [x, m.ints(...someAxes(m, x.dims.length))], keepdims)];
};

const argExtreme: Draw = (m, op) => {
  const x = m.want({ types: [m.pick(['float32', 'float32', 'int32', 'uint8', 'int8'])], ranks: [1, 6] });
  const attributes = {
    ...(m.chance(0.8) ? { axis: axisOf(m, x.dims.length) } : {}),
    ...m.pick([{}, { keepdims: 0 }]),
    ...m.pick([{}, { select_last_index: 1 }]),
  };
  return [m.node(op, [x], attributes)];
};

const alongAxis: Draw = (m, op) => {
  const x = m.want({ ranks: [1, 6], within: NEAR });
  return [m.node(op, [x], m.chance(0.2) ? {} : { axis: axisOf(m, x.dims.length) })];
};

const cumulativeSum: Draw = (m, op) => {
  const x = m.want({ types: [m.pick(['float32', 'float32', 'int32', 'int64'])], ranks: [1, 5], within: NEAR });
  const attributes = m.pick([{}, { exclusive: 1 }, { reverse: 1 }, { exclusive: 1, reverse: 1 }]);
  return [m.node(op, [x, m.scalar(m.pick(['int64', 'int32']), axisOf(m, x.dims.length))], attributes)];
};

/** The other factor of a product: a constant matrix, another value, or the first one turned. */
function factor(m: Maker, x: Value): Value {
  const [rank, depth] = [x.dims.length, x.dims.at(-1)!];
  const fits = (dims: readonly number[]): boolean =>
    dims.length >= 1 &&
    (dims.length === 1 ? dims[0] : dims.at(-2)) === depth &&
    broadcast(x.dims.slice(0, -2), dims.slice(0, -2)) !== undefined;
  const found = m.chance(0.3) ? m.find({ fits, within: NEAR }) : undefined;
  if (found) return found;
  if (rank >= 2 && m.chance(0.2)) {
    const perm = x.dims.map((_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis));
    return m.node('Transpose', [x], { perm });
  }
  if (m.chance(0.1)) return m.fresh('float32', [depth], [-2, 2]);
  const batch = m.chance(0.3) ? x.dims.slice(0, -2).map((dim) => (m.chance(0.4) ? 1 : dim)) : [];
  const more = batch.length === rank - 2 && rank < 6 && m.chance(0.1) ? [2, ...batch] : batch;
  return m.fresh('float32', [...more, depth, m.integer(1, 12)], [-2, 2]);
}

const matMul: Draw = (m, op) => {
  const x = m.want({ ranks: [1, 6], within: NEAR });
  const y = factor(m, x);
  if (elementCount(x.dims) * (y.dims.at(-1) ?? 1) > 20 * LARGEST) throw new Unfit('too much work');
  return [m.node(op, [x, y])];
};

const gemm: Draw = (m, op) => {
  const x = m.want({ ranks: [2, 2], within: NEAR });
  const [transA, transB] = [m.integer(0, 1), m.integer(0, 1)];
  const [rows, depth] = transA ? [x.dims[1], x.dims[0]] : x.dims;
  const columns = m.integer(1, 12);
  const y = m.want({ within: [-3, 3] }, transB ? [columns, depth] : [depth, columns]);
  const shapes = [[columns], [rows, columns], [rows, 1], [1, columns], [1], []];
  const addend = m.chance(0.6) ? [m.want({ within: [-9, 9] }, m.pick(shapes))] : [];
  const attributes = {
    ...(transA || m.chance(0.2) ? { transA } : {}),
    ...(transB || m.chance(0.2) ? { transB } : {}),
    ...(m.chance(0.3) ? { alpha: float(Math.fround(m.pick([0.5, -1.5, 0.3]))) } : {}),
    ...(m.chance(0.3) ? { beta: float(Math.fround(m.pick([0, 0.5, -2]))) } : {}),
  };
  return [m.node(op, [x, y, ...addend], attributes)];
};

/** A spectrum of a few lengths; its sums are of hundreds of terms at most. */
const fourier: Draw = (m, op) => {
  const complex = m.chance(0.4);
  const dims = [m.integer(1, 2), m.integer(1, 12), m.integer(1, 12), complex ? 2 : 1];
  const cut = m.chance(0.4) ? dims.slice(1) : dims;
  const x = m.want({ within: NEAR }, cut);
  const axis = m.integer(0, cut.length - 2);
  const length = m.chance(0.4) ? m.scalar('int64', m.integer(1, 16)) : undefined;
  const place = m.scalar('int64', m.chance(0.3) ? axis - cut.length : axis);
  const attributes = {
    ...(complex && m.chance(0.5) ? { inverse: 1 } : {}),
    ...(!complex && m.chance(0.5) ? { onesided: 1 } : {}),
  };
  return [m.node(op, [x, length, place], attributes)];
};

const shortFourier: Draw = (m, op) => {
  const frame = m.integer(2, 16);
  const x = m.want({ within: NEAR }, [m.integer(1, 2), frame + m.integer(0, 40), 1]);
  const window = m.chance(0.7) ? m.fresh('float32', [frame], [0, 1], true) : undefined;
  const length = !window || m.chance(0.3) ? [m.scalar('int64', frame)] : [];
  return [
    m.node(
      op,
      [x, m.scalar('int64', m.integer(1, 9)), window, ...length],
      m.pick([{}, { onesided: 0 }, { onesided: 1 }]),
    ),
  ];
};

/** Values that need nothing but themselves. */
const constant: Draw = (m, op) => {
  const dims = m.dims([0, 4]);
  const drawn = m.fresh(m.pick(['float32', 'int64', 'int32', 'bool']), dims, undefined, true).tensor!;
  return [m.node(op, [], m.chance(0.8) ? { value: { kind: 'tensor', value: drawn } } : { value_float: float(0.5) })];
};

const filled: Draw = (m, op) => {
  const value = m.pick([
    undefined,
    tensorFrom('float32', [1], [1.5]),
    tensorFrom('int64', [1], [-3]),
    tensorFrom('bool', [1], [1]),
  ]);
  const twin = m.chance(0.5) ? m.find({ types: ['float32', 'int64'], ranks: [1, 5] }) : undefined;
  const dims = twin ? m.node('Shape', [twin]) : m.ints(...m.dims([1, 4]));
  return [m.node(op, [dims], value ? { value: { kind: 'tensor', value } } : {})];
};

const range: Draw = (m, op) => {
  const type = m.pick(['int64', 'int32', 'float32'] as const);
  const start = m.integer(-9, 9);
  const step = m.pick([1, 2, 3, -1, -2]);
  const list = [start, start + step * m.integer(1, 12) - (m.chance(0.5) ? Math.sign(step) : 0), step];
  if ((list[1] - start) / step <= 0) throw new Unfit('empty');
  return [
    m.node(
      op,
      list.map((value) => m.scalar(type, value)),
    ),
  ];
};

export const REDUCING: Draws = {
  ...eachOf(Object.keys(REDUCTIONS), reduce),
  ...eachOf(['ArgMax', 'ArgMin'], argExtreme),
  ...eachOf(['Softmax', 'LogSoftmax', 'Hardmax'], alongAxis),
  CumSum: cumulativeSum,
  MatMul: matMul,
  Gemm: gemm,
  DFT: fourier,
  STFT: shortFourier,
  Constant: constant,
  ConstantOfShape: filled,
  Range: range,
};
