import { REDUCE_OPS } from '../../lib/compile/families/reduce';
import { REDUCE_OPERATIONS } from '../../lib/core/reduce-operation';
import { UNARY_OPERATIONS } from '../../lib/core/unary-operation';
import { PLAN_OPS } from '../../lib/plan/plan-ops';
import { PlanBuilder } from './plans';

const IMAGE = [2, 3, 4, 8];
const WIDE = [2, 3, 4, 10];
const WINDOW = { kernel: [2, 2], stride: [1, 1], dilation: [1, 1], pad: [1, 1] } as const;

/**
 * A network that passes images of several rows through every operation of the engine, one after the other, with second operands
 * of every kind (as large, some rows, one row): `stress_engine` runs it with gaps between the rows.
 */
export function rowsNetwork(): PlanBuilder {
  const b = new PlanBuilder();
  const grid = (dims: readonly number[], scale = 1 / 16): number => b.arena('int8', dims, { scale, zeroPoint: -4 });
  const real = (dims: readonly number[]): number => b.arena('float32', dims);
  const input = (dims: readonly number[]): number => b.input(`x${b.inputs.length}`, 'float32', dims);
  const quantized = (dims: readonly number[], from: readonly number[], channelsFirst: boolean): number => {
    const y = grid(dims);
    b.node({ op: 'quantize_s8', outputs: [y], inputs: [input(from)], params: { channelsFirst } });
    return y;
  };
  const floats = (dims: readonly number[]): number => b.constant(varied(Float32Array, dims, 1 / 32), dims);
  /** Weights, bias and multipliers of an int8 layer. */
  const layer = (dims: readonly number[], outputs: number): number[] => [
    b.constant(varied(Int8Array, dims, 1), dims),
    b.constant(varied(Int32Array, [outputs], 20)),
    b.constant(new Float32Array(outputs).fill(1 / 512)),
  ];

  const first = quantized(IMAGE, IMAGE, false);
  const turned = quantized(IMAGE, [2, 8, 3, 4], true);
  const looked = grid(IMAGE);
  const table = b.constant(Uint8Array.from({ length: 256 }, (_, i) => (i * 3 + 1) % 256));
  b.node({ op: 'lut_s8', outputs: [looked], inputs: [first, table] });
  let image = looked;
  for (const second of [turned, quantized([3, 4, 8], [3, 4, 8], false), quantized([8], [8], false)]) {
    const sum = grid(IMAGE, 1 / 8);
    b.node({ op: 'binary_s8', outputs: [sum], inputs: [image, second], params: { operation: 'add' } });
    image = sum;
  }
  const largest = grid(IMAGE, 1 / 8);
  b.node({ op: 'max_pool_s8', outputs: [largest], inputs: [image], params: { window: WINDOW } });
  const mean = grid(IMAGE);
  b.node({
    op: 'average_pool_s8',
    outputs: [mean],
    inputs: [largest],
    params: { window: WINDOW, countIncludePad: true },
  });
  const dense = grid(IMAGE);
  b.node({
    op: 'conv_s8',
    outputs: [dense],
    inputs: [mean, ...layer([8, 2, 2, 4], 8), null, largest],
    params: { window: WINDOW, groups: 2, residual: { scale: 1 / 8, zeroPoint: -3 } },
  });
  const deep = grid(IMAGE);
  b.node({
    op: 'dwconv_s8',
    outputs: [deep],
    inputs: [dense, ...layer([2, 2, 8], 8)],
    params: { window: WINDOW, groups: 8 },
  });
  const product = grid(WIDE);
  b.node({ op: 'fc_s8', outputs: [product], inputs: [deep, ...layer([10, 8], 10)], params: {} });
  const firstOut = b.output('channels_first', 'float32', [2, 10, 3, 4]);
  b.node({ op: 'dequantize_s8', outputs: [firstOut], inputs: [product], params: { channelsFirst: true } });

  const scaled = real(WIDE);
  b.node({ op: 'dequantize_s8', outputs: [scaled], inputs: [product], params: { channelsFirst: false } });
  const bounded = real(WIDE);
  b.node({ op: 'clamp_f32', outputs: [bounded], inputs: [scaled], params: { lo: -3, hi: 4 } });
  const filled = real(WIDE);
  b.node({ op: 'fill', outputs: [filled], inputs: [], params: { value: 0x3fc00000 } });
  let rows = bounded;
  for (const [second, operation] of [
    [filled, 'multiply'],
    [input([3, 4, 10]), 'add'],
    [input([10]), 'multiply'],
  ] as const) {
    const y = real(WIDE);
    b.node({ op: 'binary_f32', outputs: [y], inputs: [rows, second], params: { operation } });
    rows = y;
  }
  // Every function of positive numbers, all of them added up.
  const positive = real(WIDE);
  b.node({ op: 'unary_f32', outputs: [positive], inputs: [rows], params: { operation: 'softplus' } });
  for (const { name } of UNARY_OPERATIONS) {
    const [y, sum] = [real(WIDE), real(WIDE)];
    const params = { operation: name, alpha: 0.3, beta: 1.5, clamp: { hi: 50 } } as const;
    b.node({ op: 'unary_f32', outputs: [y], inputs: [positive], params });
    b.node({ op: 'binary_f32', outputs: [sum], inputs: [rows, y], params: { operation: 'add' } });
    rows = sum;
  }
  const shares = real(WIDE);
  b.node({ op: 'softmax_f32', outputs: [shares], inputs: [rows] });
  const narrow = real(IMAGE);
  b.node({ op: 'fc_f32', outputs: [narrow], inputs: [shares, floats([8, 10]), floats([8])], params: { hi: 9 } });
  const convolved = real(IMAGE);
  b.node({
    op: 'conv_f32',
    outputs: [convolved],
    inputs: [narrow, floats([8, 2, 2, 8]), floats([8])],
    params: { window: WINDOW, groups: 1 },
  });
  const depth = real(IMAGE);
  b.node({
    op: 'dwconv_f32',
    outputs: [depth],
    inputs: [convolved, floats([2, 2, 8]), floats([8])],
    params: { window: WINDOW, groups: 8 },
  });
  const highest = real(IMAGE);
  b.node({ op: 'max_pool_f32', outputs: [highest], inputs: [depth], params: { window: WINDOW } });
  const middle = real(IMAGE);
  b.node({ op: 'average_pool_f32', outputs: [middle], inputs: [highest], params: { window: WINDOW } });
  // Of the rows between the first dimension and the last, then of the elements of the rows.
  for (const op of REDUCE_OPS) {
    const isFloat = PLAN_OPS[op].domain === 'float';
    const make = isFloat ? real : grid;
    const dims = [2, 12, 8];
    const x = isFloat ? real(dims) : quantized(dims, dims, false);
    if (isFloat) b.node({ op: 'clamp_f32', outputs: [x], inputs: [input(dims)], params: { lo: -1, hi: 1 } });
    const [between, along] = [make([2, 8]), make([2])];
    b.node({ op, outputs: [between], inputs: [x] });
    b.node({ op, outputs: [along], inputs: [between] });
    const y = b.output(op, 'float32', [2]);
    if (isFloat) b.node({ op: 'clamp_f32', outputs: [y], inputs: [along], params: {} });
    else b.node({ op: 'dequantize_s8', outputs: [y], inputs: [along], params: { channelsFirst: false } });
  }
  for (const { name } of REDUCE_OPERATIONS) {
    const dims = [2, 12, 8];
    const [x, between, along] = [real(dims), real([2, 8]), real([2])];
    const params = { operation: name } as const;
    b.node({ op: 'clamp_f32', outputs: [x], inputs: [input(dims)], params: { lo: 0.5, hi: 1.5 } });
    b.node({ op: 'reduce_f32', outputs: [between], inputs: [x], params });
    b.node({ op: 'reduce_f32', outputs: [along], inputs: [between], params });
    b.node({ op: 'clamp_f32', outputs: [b.output(name, 'float32', [2])], inputs: [along], params: {} });
  }
  const mixed = [real([2, 12, 8]), real([2, 5, 8])];
  const [weights, index] = [
    b.constant(Float32Array.of(1, 0.5, 0, 2, -1, 1, 0.25, 1, 1, 0), [5, 2]),
    b.constant(Int32Array.of(0, 11, 3, 4, 5, 5, 9, 1, 2, 0), [5, 2]),
  ];
  b.node({ op: 'clamp_f32', outputs: [mixed[0]], inputs: [input([2, 12, 8])], params: { lo: -1, hi: 1 } });
  b.node({ op: 'interpolate_f32', outputs: [mixed[1]], inputs: [mixed[0], weights, index] });
  b.node({ op: 'clamp_f32', outputs: [b.output('mixed', 'float32', [2, 5, 8])], inputs: [mixed[1]], params: {} });
  // Channels alone, in groups, and whole rows.
  for (const groups of [8, 2, 1]) {
    const dims = groups === 1 ? [24, 1, 8] : [2, 12, 8];
    const [x, normal] = [real(dims), real(dims)];
    const factors = [floats([8]), groups === 2 ? null : floats([8])];
    const params = { groups, centered: groups !== 1, epsilon: 1e-5 } as const;
    b.node({ op: 'clamp_f32', outputs: [x], inputs: [input(dims)], params: { lo: -1, hi: 1 } });
    b.node({ op: 'normalize_f32', outputs: [normal], inputs: [x, ...factors], params });
    b.node({ op: 'clamp_f32', outputs: [b.output(`groups${groups}`, 'float32', dims)], inputs: [normal], params: {} });
  }
  const [left, right, products] = [real([2, 3, 8]), real([2, 8, 6]), real([6, 6])];
  for (const factor of [left, right]) {
    const dims = factor === left ? [2, 3, 8] : [2, 8, 6];
    b.node({ op: 'clamp_f32', outputs: [factor], inputs: [input(dims)], params: { lo: -1, hi: 1 } });
  }
  b.node({
    op: 'matmul_f32',
    outputs: [products],
    inputs: [left, right],
    params: {
      ...{ batch: [2], rows: 3, inputs: 8, outputs: 6 },
      ...{ aOffset: 0, aStrides: [24, 8, 1], bOffset: 0, bStrides: [48, 6, 1] },
    },
  });
  const scores = grid([6, 6]);
  b.node({
    op: 'matmul_s8',
    outputs: [scores],
    inputs: [quantized([2, 3, 8], [2, 3, 8], false), quantized([2, 6, 8], [2, 6, 8], false)],
    params: {
      ...{ batch: [2], rows: 3, inputs: 8, outputs: 6 },
      ...{ aOffset: 0, aStrides: [24, 8, 1], bOffset: 0, bStrides: [48, 1, 8] },
    },
  });
  const scoresOut = b.output('scores', 'float32', [6, 6]);
  b.node({ op: 'dequantize_s8', outputs: [scoresOut], inputs: [scores], params: { channelsFirst: false } });
  const states = real([6, 2]);
  const bounds = { lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY };
  b.node({
    op: 'recurrent_f32',
    outputs: [states],
    inputs: [products, floats([1, 6, 2])],
    params: {
      ...{ cell: 'gru', direction: 'forward', batch: 2, batchFirst: true },
      ...{ linearBeforeReset: false, inputForget: false, clip: 3 },
      functions: new Array(6).fill({ operation: 'tanh', alpha: 0, beta: 0, ...bounds }),
    },
  });
  b.node({ op: 'clamp_f32', outputs: [b.output('states', 'float32', [6, 2])], inputs: [states], params: {} });
  const last = real(IMAGE);
  b.node({ op: 'clamp_f32', outputs: [last], inputs: [middle], params: {} });
  const y = b.output('reversed', 'float32', [192]);
  const params = { extents: [192], srcOffset: 191, dstOffset: 0, srcStrides: [-1], dstStrides: [1] };
  b.node({ op: 'copy_nd', outputs: [y], inputs: [last], params });
  return b;
}

/** Numbers from -60 to 60, times `scale`. */
function varied<T extends Int8Array | Int32Array | Float32Array>(
  made: { from(of: ArrayLike<number>): T },
  dims: readonly number[],
  scale: number,
): T {
  const length = dims.reduce((product, dim) => product * dim, 1);
  return made.from(Array.from({ length }, (_, i) => (((i * 37 + 11) % 121) - 60) * scale));
}
