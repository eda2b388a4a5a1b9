import type { PlanNode } from '../../lib/plan/description';
import type { PlanOp } from '../../lib/plan/plan-ops';
import { GRID, PlanBuilder } from './plans';

const WINDOW = { kernel: [2, 2], stride: [1, 1], dilation: [1, 1], pad: [1, 1] } as const;
const IMAGE = [1, 4, 4, 8];
/** More than one step of alignment, so that two such tensors can overlap in part. */
const ROW = [100];

/**
 * A plan with every operation once, behind a node between its ports, and one pair of states. Activations lie in the arena, none
 * on another; outputs are as large as inputs wherever the type allows, so that nothing but the table keeps them apart; no two nodes share parameters, bias or multipliers, so that a change concerns one of them.
 */
export function everyOperation(): PlanBuilder {
  const b = new PlanBuilder();
  const nodes: { readonly [O in PlanOp]: () => Omit<Extract<PlanNode, { op: O }>, 'name' | 'op'> } = {
    quantize_s8: () => ({ ...one(grid(IMAGE), real([1, 8, 4, 4])), params: { channelsFirst: true } }),
    dequantize_s8: () => ({ ...one(real([3, 5]), grid([3, 5])), params: { channelsFirst: false } }),
    conv_s8: () => ({
      outputs: [grid(IMAGE)],
      inputs: [grid(IMAGE), ...layer([8, 2, 2, 4], 8), grid(IMAGE)],
      params: { window: WINDOW, groups: 2, residual: { scale: 0.25, zeroPoint: -3 } },
    }),
    dwconv_s8: () => ({
      outputs: [grid(IMAGE)],
      inputs: [grid(IMAGE), ...layer([2, 2, 8], 8)],
      params: { window: WINDOW, groups: 8 },
    }),
    fc_s8: () => ({ outputs: [grid([2, 3])], inputs: [grid([2, 3]), ...layer([3, 3], 3)], params: {} }),
    binary_s8: () => ({ outputs: [grid(ROW)], inputs: [grid(ROW), grid(ROW)], params: { operation: 'add' } }),
    lut_s8: () => ({ outputs: [grid(ROW)], inputs: [grid(ROW), b.constant(new Uint8Array(256).map((_, i) => i))] }),
    max_pool_s8: () => ({ ...one(grid(IMAGE), grid(IMAGE)), params: { window: WINDOW } }),
    average_pool_s8: () => ({ ...one(grid(IMAGE), grid(IMAGE)), params: { window: WINDOW, countIncludePad: true } }),
    copy_nd: () => ({
      ...one(grid([6]), grid([6])),
      params: { extents: [2, 3], srcOffset: 0, dstOffset: 0, srcStrides: [1, 2], dstStrides: [3, 1] },
    }),
    fill: () => ({ outputs: [grid([6])], inputs: [], params: { value: 7 } }),
    softmax_f32: () => one(real([2, 50]), real([2, 50])),
    conv_f32: () => ({
      outputs: [real(IMAGE)],
      inputs: [real(IMAGE), floats([8, 2, 2, 8]), floats([8])],
      params: { window: WINDOW, groups: 1 },
    }),
    dwconv_f32: () => ({
      outputs: [real(IMAGE)],
      inputs: [real(IMAGE), floats([2, 2, 8]), floats([8])],
      params: { window: WINDOW, groups: 8, clamp: { lo: 0 } },
    }),
    fc_f32: () => ({ outputs: [real([2, 3])], inputs: [real([2, 3]), floats([3, 3]), floats([3])], params: { hi: 9 } }),
    binary_f32: () => ({ outputs: [real(ROW)], inputs: [real(ROW), real(ROW)], params: { operation: 'multiply' } }),
    clamp_f32: () => ({ ...one(real(ROW), real(ROW)), params: { lo: 0, hi: 6 } }),
    max_pool_f32: () => ({ ...one(real(IMAGE), real(IMAGE)), params: { window: { ...WINDOW, pad: [1, 0] } } }),
    average_pool_f32: () => ({ ...one(real(IMAGE), real(IMAGE)), params: { window: { ...WINDOW, pad: [0, 1] } } }),
    reduce_max_s8: () => one(grid([4]), grid([4, 25])),
    reduce_max_f32: () => one(real([4]), real([4, 25])),
    reduce_min_s8: () => one(grid([4]), grid([4, 25])),
    reduce_min_f32: () => one(real([4]), real([4, 25])),
    reduce_f32: () => ({ ...one(real([4]), real([4, 25])), params: { operation: 'mean', clamp: { lo: 1 } } }),
    interpolate_f32: () => ({
      outputs: [real([2, 3, 17])],
      inputs: [real([2, 4, 17]), floats([3, 2]), b.constant(Int32Array.of(0, 3, 1, 1, 2, 0), [3, 2])],
    }),
    cast: () => one(b.arena('int32', ROW), real(ROW)),
    binary_int: () => ({ outputs: [whole(ROW)], inputs: [whole(ROW), whole(ROW)], params: { operation: 'modulo' } }),
    compare: () => ({
      outputs: [truth(ROW)],
      inputs: [real(ROW), real(ROW)],
      params: { comparison: 'greater_or_equal' },
    }),
    select: () => ({ outputs: [real(ROW)], inputs: [truth(ROW), real(ROW), real(ROW)] }),
    gather: () => ({ outputs: [real([2, 4, 25])], inputs: [real([2, 4, 25]), whole([4])] }),
    gather_elements: () => ({
      outputs: [real([2, 2, 25])],
      inputs: [real([2, 2, 25]), whole([2, 2, 25])],
      params: { axis: 2 },
    }),
    gather_nd: () => ({ outputs: [real([4, 25])], inputs: [real([2, 2, 25]), whole([4, 1])] }),
    scatter_elements: () => ({
      outputs: [real([4, 25])],
      inputs: [real([4, 25]), whole([2, 25]), real([2, 25])],
      params: { axis: 0, combination: 'multiply' },
    }),
    scatter_nd: () => ({
      outputs: [real([4, 25])],
      inputs: [real([4, 25]), whole([3, 1]), real([3, 25])],
      params: { axis: 0, combination: 'maximum' },
    }),
    normalize_f32: () => ({
      outputs: [real([2, 5, 6])],
      inputs: [real([2, 5, 6]), real([6]), real([6])],
      params: { groups: 3, centered: true, epsilon: 0.001 },
    }),
    skip: () => ({ outputs: [truth([])], inputs: [truth([])], params: { count: 2, value: true } }),
    arg_extreme: () => ({
      ...one(b.arena('int64', [4]), real([4, 25])),
      params: { smallest: false, last: true },
    }),
    cumulative_sum: () => ({ ...one(real([2, 5, 10]), real([2, 5, 10])), params: { exclusive: true, reverse: true } }),
    top_k: () => ({
      outputs: [real([4, 20]), b.arena('int64', [4, 20])],
      inputs: [real([4, 25])],
      params: { count: 20, smallest: true },
    }),
    require: () => ({ outputs: [real([4, 25])], inputs: [real([4, 25]), holds()] }),
    non_zero: () => ({ outputs: [whole([2, 20]), whole([1])], inputs: [real([4, 5])] }),
    non_max_suppression: () => ({
      outputs: [whole([10, 3]), whole([1]), b.arena('int32', [5])],
      inputs: [real([1, 5, 4]), real([1, 2, 5]), whole([1]), real([1]), real([]), whole([])],
      params: { centered: true, most: 5 },
    }),
    unary_f32: () => ({ ...one(real(ROW), real(ROW)), params: { operation: 'elu', alpha: 0.5, clamp: { hi: 5 } } }),
    recurrent_f32: () => ({
      outputs: [real([2 * 2 * 3, 8]), real([2 * 3, 8]), real([2 * 3, 8])],
      inputs: [real([6, 2 * 32]), floats([2, 32, 8]), floats([2, 24]), real([2 * 3, 8]), real([2 * 3, 8])],
      params: {
        ...{ cell: 'lstm', direction: 'bidirectional', batch: 3, batchFirst: false, clip: 9 },
        ...{ linearBeforeReset: false, inputForget: false },
        functions: Array.from({ length: 6 }, (_, i) => ({
          ...{ operation: i % 3 === 0 ? 'sigmoid' : 'tanh', alpha: 0, beta: 0 },
          ...{ lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY },
        })),
      },
    }),
    matmul_s8: () => ({
      outputs: [grid([20, 5])],
      inputs: [grid(ROW), grid(ROW)],
      params: {
        ...{ batch: [4], rows: 5, inputs: 4, outputs: 5, clamp: { qmin: -100 } },
        ...{ aOffset: 0, aStrides: [25, 5, 1], bOffset: 20, bStrides: [20, 1, 4] },
      },
    }),
    matmul_f32: () => ({
      outputs: [real([20, 5])],
      inputs: [real(ROW), real(ROW)],
      params: {
        ...{ batch: [4], rows: 5, inputs: 4, outputs: 5, alpha: 0.5 },
        ...{ aOffset: 0, aStrides: [25, 5, 1], bOffset: 20, bStrides: [20, 1, 4] },
      },
    }),
  };
  const grid = (dims: readonly number[]): number => b.arena('int8', dims, GRID);
  const real = (dims: readonly number[]): number => b.arena('float32', dims);
  const whole = (dims: readonly number[]): number => b.arena('int64', dims);
  const truth = (dims: readonly number[]): number => b.arena('bool', dims);
  /** One element of what `compare` found: zeros that are equal. */
  const holds = (): number => {
    const compared = b.nodes.find(({ op }) => op === 'compare')!.outputs[0];
    const { offset } = b.tensors[compared] as { offset: number };
    return b.tensors.push({ name: 'holds', type: 'bool', dims: [], place: 'arena', offset } as never) - 1;
  };
  const one = (y: number, x: number) => ({ outputs: [y], inputs: [x] });
  const floats = (dims: readonly number[]): number => {
    const count = dims.reduce((product, dim) => product * dim, 1);
    return b.constant(
      Float32Array.from({ length: count }, (_, i) => (i % 7) - 3),
      dims,
    );
  };
  /** Weights, bias, multipliers and zero points of an int8 layer. */
  const layer = (dims: readonly number[], outputs: number): number[] => {
    const count = dims.reduce((product, dim) => product * dim, 1);
    return [
      b.constant(new Int8Array(count).fill(3), dims),
      b.constant(new Int32Array(outputs).fill(count)),
      b.constant(new Float32Array(outputs).fill(1 / count)),
      b.constant(new Int8Array(outputs).fill(1)),
    ];
  };
  const input = b.input('x', 'int8', [4], GRID);
  const output = b.output('y', 'int8', [4], GRID);
  const params = { operation: 'add', clamp: { qmin: -1 } } as const;
  b.node({ name: 'ports', op: 'binary_s8', outputs: [output], inputs: [input, input], params });
  for (const [op, make] of Object.entries(nodes)) b.node({ name: op, op, ...make() } as PlanNode);
  b.arenaBytes += 64; // room to move the last tensor a little
  b.states.push({ input: b.state('int8', [4], GRID), output: b.state('int8', [4], GRID) });
  return b;
}
