import type { Rng } from '../../lib/core/rng';
import { GraphBuilder } from '../../lib/ir/builder';
import type { Graph } from '../../lib/ir/graph';
import { elementCount, type Tensor, tensorFrom, tensorOf, type ViewOf } from '../../lib/ir/tensor';

/** A small quantized network with input data, both made from a seed. */
export interface RandomCase {
  /** What it is, for messages. */
  readonly what: string;
  readonly graph: Graph;
  readonly feeds: ReadonlyMap<string, Tensor>;
}

type Byte = 'uint8' | 'int8';
const RANGE: Readonly<Record<Byte, readonly [number, number]>> = { uint8: [0, 255], int8: [-128, 127] };

function bytes(rng: Rng, type: Byte, dims: readonly number[], [low, high] = RANGE[type]): Tensor {
  const data = new (type === 'uint8' ? Uint8Array : Int8Array)(elementCount(dims));
  for (let i = 0; i < data.length; i++) data[i] = rng.integer(low, high);
  return tensorOf(type, dims, data as ViewOf<Byte>);
}

const scalar = (value: number): Tensor => tensorFrom('float32', [], [value]);
const zero = (type: Byte, value: number): Tensor => tensorFrom(type, [], [value]);
const pick = <T>(rng: Rng, items: readonly T[]): T => items[rng.integer(0, items.length - 1)];
const scale = (rng: Rng, low: number, high: number): number => Math.fround(low + rng.uniform() * (high - low));
const zeroPoint = (rng: Rng, type: Byte): number => rng.integer(...RANGE[type]);

/** Scale and zero point as two initializers. */
function grid(b: GraphBuilder, hint: string, type: Byte, size: number, offset: number): [string, string] {
  return [b.initializer(scalar(size), `${hint}_scale`), b.initializer(zero(type, offset), `${hint}_zero`)];
}

/** Weights with their scales and zero points: int8 symmetric per channel, or uint8 with zero points. */
function weights(
  rng: Rng,
  b: GraphBuilder,
  type: Byte,
  dims: readonly number[],
  channels: number,
  perChannel: boolean,
) {
  const count = perChannel ? channels : 1;
  const scales = Array.from({ length: count }, () => scale(rng, 0.001, 0.011));
  const offsets = scales.map(() => (type === 'uint8' ? rng.integer(0, 255) : 0));
  // onnxruntime wants one weight zero point for all channels.
  offsets.fill(offsets[0]);
  const shape = perChannel ? [channels] : [];
  return {
    scales,
    inputs: [
      b.initializer(bytes(rng, type, dims), 'w'),
      b.initializer(tensorFrom('float32', shape, scales), 'w_scale'),
      b.initializer(tensorFrom(type, shape, offsets), 'w_zero'),
    ] as [string, string, string],
  };
}

function bias(rng: Rng, channels: number): Tensor {
  return tensorFrom(
    'int32',
    [channels],
    Array.from({ length: channels }, () => rng.integer(-5000, 5000)),
  );
}

/** QLinearConv, or DequantizeLinear/Conv/QuantizeLinear over uint8. */
export function randomConvolution(rng: Rng): RandomCase {
  const form = pick(rng, ['QLinear', 'QDQ'] as const);
  // onnxruntime runs the QDQ form over int8 activations in float: only uint8 there.
  const type: Byte = form === 'QDQ' ? 'uint8' : pick(rng, ['uint8', 'int8'] as const);
  const weightType: Byte = type === 'int8' ? 'int8' : pick(rng, ['int8', 'uint8'] as const);
  const depthwise = rng.uniform() < 0.3;
  const groups = depthwise ? rng.integer(2, 40) : pick(rng, [1, 1, 1, 2, 3]);
  const inputs = depthwise ? groups : groups * rng.integer(1, pick(rng, [4, 20, 70]));
  const outputs = depthwise ? groups : groups * rng.integer(1, pick(rng, [4, 20, 70]));
  const kernel = [pick(rng, [1, 2, 3, 5]), pick(rng, [1, 2, 3, 5])];
  const strides = [rng.integer(1, 2), rng.integer(1, 2)];
  const dilations = [rng.integer(1, 2), rng.integer(1, 2)];
  const pads = [0, 1, 2, 3].map((i) => rng.integer(0, kernel[i % 2] - 1));
  const extents = kernel.map((size, axis) => (size - 1) * dilations[axis] + rng.integer(1, 9));
  const output = extents.map(
    (extent, axis) =>
      Math.floor((extent + pads[axis] + pads[axis + 2] - (kernel[axis] - 1) * dilations[axis] - 1) / strides[axis]) + 1,
  );
  const b = new GraphBuilder();
  const x = b.input('x', type, [1, inputs, ...extents]);
  const xGrid = [scale(rng, 0.01, 0.06), zeroPoint(rng, type)] as const;
  const yGrid = [scale(rng, 0.05, 0.5), zeroPoint(rng, type)] as const;
  const perChannel = weightType === 'int8' && rng.uniform() < 0.8;
  const w = weights(rng, b, weightType, [outputs, inputs / groups, ...kernel], outputs, perChannel);
  const attributes = { kernel_shape: kernel, strides, dilations, pads, group: groups };
  const hasBias = rng.uniform() < 0.8;
  const xs = grid(b, 'x', type, ...xGrid);
  const ys = grid(b, 'y', type, ...yGrid);
  let y: string;
  if (form === 'QLinear') {
    const inputsOf = [x, ...xs, ...w.inputs, ...ys, ...(hasBias ? [b.initializer(bias(rng, outputs), 'b')] : [])];
    y = b.node('QLinearConv', inputsOf, attributes, { outputs: ['y'] });
  } else {
    const operands = [
      b.node('DequantizeLinear', [x, ...xs]),
      b.node('DequantizeLinear', w.inputs, { axis: 0 }),
      ...(hasBias ? [dequantizedBias(rng, b, outputs, xGrid[0], w.scales)] : []),
    ];
    y = b.node('QuantizeLinear', [b.node('Conv', operands, attributes), ...ys], {}, { outputs: ['y'] });
  }
  b.output(y, type, [1, outputs, ...output]);
  return {
    what: `${form} ${type}x${weightType} ${inputs}->${outputs}/${groups} k${kernel} s${strides} d${dilations} p${pads} @${extents}`,
    graph: b.build(),
    feeds: new Map([['x', bytes(rng, type, [1, inputs, ...extents])]]),
  };
}

function dequantizedBias(
  rng: Rng,
  b: GraphBuilder,
  channels: number,
  inputScale: number,
  weightScales: readonly number[],
): string {
  const scales = Array.from({ length: channels }, (_, c) =>
    Math.fround(inputScale * (weightScales[c] ?? weightScales[0])),
  );
  return b.node(
    'DequantizeLinear',
    [
      b.initializer(bias(rng, channels), 'b'),
      b.initializer(tensorFrom('float32', [channels], scales), 'b_scale'),
      b.initializer(tensorFrom('int32', [channels], new Array(channels).fill(0)), 'b_zero'),
    ],
    { axis: 0 },
  );
}

/** QLinearMatMul, or DequantizeLinear/Gemm/QuantizeLinear over uint8. */
export function randomProduct(rng: Rng): RandomCase {
  const form = pick(rng, ['QLinear', 'QDQ'] as const);
  const type: Byte = form === 'QDQ' ? 'uint8' : pick(rng, ['uint8', 'int8'] as const);
  const weightType: Byte = form === 'QDQ' || type === 'int8' ? 'int8' : pick(rng, ['int8', 'uint8'] as const);
  const rows = pick(rng, [1, 1, 1, 2, 5, 17]);
  const depth = rng.integer(1, pick(rng, [5, 70, 600]));
  const outputs = rng.integer(1, pick(rng, [5, 40, 150]));
  const b = new GraphBuilder();
  const x = b.input('x', type, [rows, depth]);
  const xGrid = [scale(rng, 0.01, 0.06), zeroPoint(rng, type)] as const;
  const xs = grid(b, 'x', type, ...xGrid);
  const ys = grid(b, 'y', type, scale(rng, 0.05, 0.5), zeroPoint(rng, type));
  const transposed = form === 'QDQ';
  const w = weights(
    rng,
    b,
    weightType,
    transposed ? [outputs, depth] : [depth, outputs],
    outputs,
    form === 'QDQ' && rng.uniform() < 0.8,
  );
  let y: string;
  if (form === 'QLinear') y = b.node('QLinearMatMul', [x, ...xs, ...w.inputs, ...ys], {}, { outputs: ['y'] });
  else {
    const operands = [b.node('DequantizeLinear', [x, ...xs]), b.node('DequantizeLinear', w.inputs, { axis: 0 })];
    if (rng.uniform() < 0.8) operands.push(dequantizedBias(rng, b, outputs, xGrid[0], w.scales));
    y = b.node('QuantizeLinear', [b.node('Gemm', operands, { transB: 1 }), ...ys], {}, { outputs: ['y'] });
  }
  b.output(y, type, [rows, outputs]);
  return {
    what: `${form} product ${type}x${weightType} [${rows}, ${depth}] x ${outputs}`,
    graph: b.build(),
    feeds: new Map([['x', bytes(rng, type, [rows, depth])]]),
  };
}

/** Add, Mul, pools and Concat between quantized tensors. */
export function randomElementLayer(rng: Rng): RandomCase {
  const op = pick(rng, ['Add', 'Mul', 'MaxPool', 'AveragePool', 'GlobalAveragePool', 'Concat'] as const);
  const type = pick(rng, ['uint8', 'int8'] as const);
  const b = new GraphBuilder();
  const dims = [1, rng.integer(1, 40), rng.integer(3, 12), rng.integer(3, 12)];
  const feeds = new Map<string, Tensor>();
  const operand = (name: string, shape: readonly number[]): string => {
    feeds.set(name, bytes(rng, type, shape));
    const grids = grid(b, name, type, scale(rng, 0.01, 0.04), zeroPoint(rng, type));
    return b.node('DequantizeLinear', [b.input(name, type, shape), ...grids]);
  };
  const result = (value: string, shape: readonly number[]): void => {
    const size = op === 'Mul' ? scale(rng, 0.005, 0.05) : scale(rng, 0.02, 0.07);
    const y = b.node(
      'QuantizeLinear',
      [value, ...grid(b, 'y', type, size, zeroPoint(rng, type))],
      {},
      { outputs: ['y'] },
    );
    b.output(y, type, shape);
  };
  if (op === 'Add' || op === 'Mul') result(b.node(op, [operand('a', dims), operand('c', dims)]), dims);
  else if (op === 'Concat') {
    const axis = rng.integer(1, 3);
    const second = dims.map((dim, i) => (i === axis ? rng.integer(1, 9) : dim));
    const total = dims.map((dim, i) => (i === axis ? dim + second[i] : dim));
    result(b.node('Concat', [operand('a', dims), operand('c', second)], { axis }), total);
  } else if (op === 'GlobalAveragePool') result(b.node(op, [operand('a', dims)]), [dims[0], dims[1], 1, 1]);
  else {
    const kernel = [rng.integer(1, 3), rng.integer(1, 3)];
    const strides = [rng.integer(1, 2), rng.integer(1, 2)];
    const pads = [0, 1, 2, 3].map((i) => rng.integer(0, kernel[i % 2] - 1));
    const output = kernel.map(
      (size, axis) => Math.floor((dims[axis + 2] + pads[axis] + pads[axis + 2] - size) / strides[axis]) + 1,
    );
    const include = op === 'AveragePool' ? { count_include_pad: rng.integer(0, 1) } : {};
    const value = b.node(op, [operand('a', dims)], { kernel_shape: kernel, strides, pads, ...include });
    result(value, [dims[0], dims[1], ...output]);
  }
  return { what: `${op} ${type} [${dims}]`, graph: b.build(), feeds };
}
