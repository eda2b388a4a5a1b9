import { elementCount } from '../../../lib/ir/tensor';
import { float } from '../../ops/op-case';
import { LARGEST, type Maker, Unfit, type Value } from '../maker';
import { type Draw, type Draws, eachOf } from './draw';

/** Where operands of sums lie: of large terms that cancel each other runtimes keep different bits. */
export const NEAR = [-50, 50] as const;

/** A signal, image or volume: batch, channels, then one to three spatial axes. */
const image = (m: Maker, channels = 24): Value =>
  m.want({ ranks: [3, 5], within: NEAR, fits: ([, count]) => count <= channels });

/** Attributes of windows over these extents; any of them left out where the default is meant. */
function windows(m: Maker, extents: readonly number[], { dilates = true, kernelNamed = true } = {}) {
  const kernel_shape = extents.map((extent) => m.integer(1, Math.min(4, extent)));
  const strides = extents.map(() => m.integer(1, 3));
  const dilations = extents.map((extent, axis) =>
    dilates && m.chance(0.2) && (kernel_shape[axis] - 1) * 2 < extent ? 2 : 1,
  );
  const pads = [...kernel_shape, ...kernel_shape].map((size) => m.integer(0, size - 1));
  // With holes onnxruntime pads windows as if they had none, or refuses them.
  const same =
    dilations.every((dilation) => dilation === 1) && m.chance(0.15)
      ? m.pick(['SAME_UPPER', 'SAME_LOWER', 'VALID'])
      : undefined;
  return {
    kernel_shape,
    attributes: {
      ...(kernelNamed || m.chance(0.5) ? { kernel_shape } : {}),
      ...(m.chance(0.7) ? { strides } : {}),
      ...(dilates && m.chance(0.5) ? { dilations } : {}),
      ...(same ? { auto_pad: same } : m.chance(0.6) ? { pads } : {}),
    },
  };
}

/** Weights: constants, but for one in a hundred. */
const weights = (m: Maker, dims: readonly number[], within = 1): Value =>
  m.fresh('float32', dims, [-within, within], m.isBody || m.chance(0.99));

const conv: Draw = (m, op) => {
  const x = image(m);
  const [, channels, ...extents] = x.dims;
  const depthwise = m.chance(0.3);
  const groups = depthwise ? channels : m.pick([1, 1, channels % 2 === 0 ? 2 : 1, channels % 3 === 0 ? 3 : 1]);
  const filters = groups * m.integer(1, depthwise ? 2 : 6);
  const { kernel_shape, attributes } = windows(m, extents, { kernelNamed: false });
  const w = weights(m, [filters, channels / groups, ...kernel_shape]);
  const bias = m.chance(0.6) ? [weights(m, [filters])] : [];
  return [m.node(op, [x, w, ...bias], { ...attributes, ...(groups > 1 || m.chance(0.3) ? { group: groups } : {}) })];
};

const convTranspose: Draw = (m, op) => {
  const x = image(m, 12);
  const [batch, channels, ...extents] = x.dims;
  const groups = m.pick([1, 1, channels, channels % 2 === 0 ? 2 : 1]);
  const filters = m.integer(1, groups === 1 ? 5 : 2);
  const { kernel_shape, attributes } = windows(
    m,
    extents.map(() => 4),
    { kernelNamed: false },
  );
  const strides = attributes.strides ?? extents.map(() => 1);
  // Where windows leave gaps ONNX pads by less than nothing, onnxruntime by nothing.
  if ('auto_pad' in attributes && strides.some((stride, i) => stride > kernel_shape[i])) throw new Unfit('gaps');
  const output_padding = strides.map((stride) => m.integer(0, stride - 1));
  if (batch * filters * groups * elementCount(extents.map((extent, i) => extent * strides[i] + 8)) > 4 * LARGEST)
    throw new Unfit('too many elements');
  const w = weights(m, [channels, filters, ...kernel_shape]);
  const bias = m.chance(0.6) ? [weights(m, [filters * groups])] : [];
  const padded = attributes.strides && !('auto_pad' in attributes) && m.chance(0.4) ? { output_padding } : {};
  return [m.node(op, [x, w, ...bias], { ...attributes, ...padded, ...(groups > 1 ? { group: groups } : {}) })];
};

const pool: Draw = (m, op) => {
  if (op === 'LpPool' && m.shared.opset > 21) throw new Unfit('onnxruntime has no newer form');
  const x = image(m, 60);
  const { attributes } = windows(m, x.dims.slice(2), {
    dilates: op === 'MaxPool' || (op === 'AveragePool' && m.chance(0.3)),
  });
  // With ceil_mode onnxruntime and ONNX differ in what a window beyond the padding counts.
  const more = {
    ...(op === 'AveragePool' && m.chance(0.5) ? { count_include_pad: m.integer(0, 1) } : {}),
    ...(op === 'LpPool' ? { p: m.integer(1, 3) } : {}),
    ...(op === 'MaxPool' && m.chance(0.2) && !('auto_pad' in attributes) ? { ceil_mode: 1 } : {}),
  };
  return [m.node(op, [x], { ...attributes, ...more })];
};

const globalPool: Draw = (m, op) => {
  if (op === 'GlobalLpPool' && m.shared.opset > 21) throw new Unfit('onnxruntime has no newer form');
  const x = image(m, 100);
  return [m.node(op, [x], op === 'GlobalLpPool' ? { p: m.integer(1, 3) } : {})];
};

/** Factors of channels. */
const factors = (m: Maker, count: number): Value => weights(m, [count], 2);

const batchNorm: Draw = (m, op) => {
  const x = m.want({ ranks: [2, 5], within: NEAR });
  const variance = m.fresh('float32', [x.dims[1]], [0.1, 3], m.isBody || m.chance(0.99));
  const operands = [factors(m, x.dims[1]), factors(m, x.dims[1]), factors(m, x.dims[1]), variance];
  return [m.node(op, [x, ...operands], m.chance(0.5) ? { epsilon: float(Math.fround(0.001)) } : {})];
};

const channelNorm: Draw = (m, op) => {
  const x = m.want({ ranks: [3, 5], within: NEAR, fits: ([, , ...plane]) => elementCount(plane) > 1 });
  const channels = x.dims[1];
  const operands = [x, factors(m, channels), factors(m, channels)];
  const epsilon = m.chance(0.5) ? { epsilon: float(Math.fround(0.01)) } : {};
  if (op === 'InstanceNormalization') return [m.node(op, operands, epsilon)];
  const divisors = Array.from({ length: channels }, (_, i) => i + 1).filter((count) => channels % count === 0);
  return [m.node(op, operands, { ...epsilon, num_groups: m.pick(divisors) })];
};

const layerNorm: Draw = (m, op) => {
  if (op === 'RMSNormalization' && m.shared.opset < 23) throw new Unfit('a newer operator');
  const x = m.want({ ranks: [1, 5], within: NEAR });
  const axis = m.integer(0, x.dims.length - 1);
  const attributes = {
    ...(axis === x.dims.length - 1 && m.chance(0.5) ? {} : { axis: m.chance(0.4) ? axis - x.dims.length : axis }),
    ...(m.chance(0.5) ? { epsilon: float(Math.fround(0.01)) } : {}),
  };
  const dims = x.dims.slice(axis);
  const shift = op === 'LayerNormalization' && m.chance(0.6) ? [weights(m, dims)] : [];
  return [m.node(op, [x, weights(m, dims, 2), ...shift], attributes)];
};

const localResponse: Draw = (m, op) => {
  // onnxruntime takes images alone.
  const x = m.want({ ranks: [4, 4], within: NEAR });
  const size = 2 * m.integer(0, 3) + 1;
  const attributes = m.chance(0.5)
    ? { alpha: float(Math.fround(0.1)), beta: float(Math.fround(0.6)), bias: float(1.5) }
    : {};
  return [m.node(op, [x], { size, ...attributes })];
};

const lpNorm: Draw = (m, op) => {
  const x = m.want({ ranks: [1, 5], within: NEAR });
  const result = m.node(op, [x], { axis: m.integer(-x.dims.length, x.dims.length - 1), p: m.integer(1, 2) });
  // Squares of such elements are 0 in float32.
  if (result.exact.data.some((y, i) => Math.abs(y) > 1e-3 && Math.abs(x.exact.data[i]) < 1e-15))
    throw new Unfit('underflow');
  return [result];
};

const meanVariance: Draw = (m, op) => {
  const x = m.want({ ranks: [4, 4], within: NEAR });
  const result = m.node(op, [x], m.pick([{}, { axes: [0, 2, 3] }, { axes: [2, 3] }, { axes: [1] }]));
  // onnxruntime divides by a deviation of 0 without the 1e-9 of its definition.
  if (result.exact.data.some((y) => Math.abs(y) < 1e-6)) throw new Unfit('no variance');
  return [result];
};

const resize: Draw = (m, op) => {
  const x = m.want({ ranks: [1, 5], within: NEAR });
  // onnxruntime mixes images alone.
  const mode = x.dims.length === 4 ? m.pick(['nearest', 'linear', 'cubic']) : 'nearest';
  const spatial = x.dims.map((_, axis) => (mode === 'nearest' ? m.chance(0.5) : axis >= x.dims.length - 2));
  const sizes = x.dims.map((extent, axis) => (spatial[axis] ? m.integer(1, Math.min(20, 2 * extent + 1)) : extent));
  const attributes = {
    mode,
    coordinate_transformation_mode: m.pick(['half_pixel', 'asymmetric', 'align_corners', 'pytorch_half_pixel']),
    // Of two elements equally near onnxruntime takes now one, now the other.
    ...(mode === 'nearest' ? { nearest_mode: m.pick(['floor', 'ceil']) } : {}),
    ...(mode === 'cubic' && m.chance(0.4) ? { exclude_outside: 1 } : {}),
    ...(mode === 'cubic' && m.chance(0.4) ? { cubic_coeff_a: float(-0.5) } : {}),
  };
  if (elementCount(sizes) > LARGEST) throw new Unfit('too many elements');
  if (m.chance(0.5)) return [m.node(op, [x, undefined, undefined, m.ints(...sizes)], attributes)];
  // Factors by which extents grow to whole numbers.
  const scales = x.dims.map((_, axis) => (spatial[axis] ? m.pick([1, 2, 3, 0.5]) : 1));
  if (x.dims.some((extent, axis) => extent * scales[axis] < 1)) throw new Unfit('nothing is left');
  return [
    m.node(
      op,
      [
        x,
        undefined,
        m.constant({ type: 'float32', dims: [scales.length], bytes: new Uint8Array(Float32Array.from(scales).buffer) }),
      ],
      attributes,
    ),
  ];
};

export const LAYERS: Draws = {
  Conv: conv,
  ConvTranspose: convTranspose,
  ...eachOf(['MaxPool', 'AveragePool', 'LpPool'], pool),
  ...eachOf(['GlobalAveragePool', 'GlobalMaxPool', 'GlobalLpPool'], globalPool),
  BatchNormalization: batchNorm,
  ...eachOf(['InstanceNormalization', 'GroupNormalization'], channelNorm),
  ...eachOf(['LayerNormalization', 'RMSNormalization'], layerNorm),
  LRN: localResponse,
  LpNormalization: lpNorm,
  MeanVarianceNormalization: meanVariance,
  Resize: resize,
};
