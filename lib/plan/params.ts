import { BINARY_OPERATIONS } from '../core/binary-operation';
import { COMPARISONS } from '../core/comparison';
import { HoneError } from '../core/error';
import { INTEGER_OPERATIONS } from '../core/integer-operation';
import { RECURRENT_CELLS, RECURRENT_DIRECTIONS } from '../core/recurrent-cell';
import { REDUCE_OPERATIONS } from '../core/reduce-operation';
import { UNARY_OPERATIONS } from '../core/unary-operation';
import {
  type PlanClamp,
  type PlanConvParams,
  type PlanParams,
  type PlanRecurrentParams,
  type PlanWindow,
  type RecordParams,
  SCATTER_COMBINATIONS,
} from './description';
import type { RecordOf } from './format';
import { PLAN_OPS, type PlanOp } from './plan-ops';

/** The record that holds the parameters of `op`, filled from the description. */
export function paramsRecord<O extends PlanOp>(op: O, params: PlanParams[O]): Record<string, unknown> {
  const { params: layout } = PLAN_OPS[op];
  return layout === undefined ? {} : (CONVERSIONS[layout] as AnyConversion).toRecord(params);
}

/** The description of the parameters of `op` in a record; `hasResidual` tells whether a convolution adds. */
export function paramsOf(op: PlanOp, record: Record<string, unknown>, hasResidual: boolean): PlanParams[PlanOp] {
  const { params: layout } = PLAN_OPS[op];
  if (layout === undefined) return undefined;
  return (CONVERSIONS[layout] as AnyConversion).ofRecord(record, hasResidual) as PlanParams[PlanOp];
}

/** The two forms of parameters: as the description has them, and as the record of the file. */
interface Conversion<P, R> {
  readonly toRecord: (params: P) => Partial<R>;
  readonly ofRecord: (record: R, hasResidual: boolean) => P;
}
interface AnyConversion {
  toRecord(params: unknown): Record<string, unknown>;
  ofRecord(record: unknown, hasResidual: boolean): unknown;
}

/** Records that operations name. */
type ParamsName = Exclude<(typeof PLAN_OPS)[PlanOp]['params'], undefined>;

const CONVERSIONS: { readonly [N in ParamsName]: Conversion<RecordParams[N], RecordOf<N>> } = {
  border: {
    toRecord: ({ channelsFirst }) => ({ channelsFirst: channelsFirst ? 1 : 0 }),
    ofRecord: ({ channelsFirst }) => ({ channelsFirst: channelsFirst !== 0 }),
  },
  conv: {
    toRecord: convRecord,
    ofRecord: ({ window, groups, clamp, convScale, convZeroPoint, addClamp }, hasResidual) => ({
      window: windowOf(window),
      groups,
      clamp,
      ...(hasResidual ? { residual: { scale: convScale, zeroPoint: convZeroPoint, clamp: addClamp } } : {}),
    }),
  },
  clamp: { toRecord: clampRecord, ofRecord: (record) => record },
  binary: {
    toRecord: ({ operation, clamp }) => ({
      operation: numberOf(BINARY_OPERATIONS, operation),
      clamp: clampRecord(clamp),
    }),
    ofRecord: ({ operation, clamp }) => ({ operation: nameOf('binary', BINARY_OPERATIONS, operation), clamp }),
  },
  unary: {
    toRecord: ({ operation, alpha = 0, beta = 0, clamp }) => ({
      operation: numberOf(UNARY_OPERATIONS, operation),
      alpha,
      beta,
      clamp: clampRecord(clamp),
    }),
    ofRecord: ({ operation, alpha, beta, clamp }) => ({
      operation: nameOf('unary', UNARY_OPERATIONS, operation),
      alpha,
      beta,
      clamp,
    }),
  },
  reduce: {
    toRecord: ({ operation, clamp }) => ({
      operation: numberOf(REDUCE_OPERATIONS, operation),
      clamp: clampRecord(clamp),
    }),
    ofRecord: ({ operation, clamp }) => ({ operation: nameOf('reduce', REDUCE_OPERATIONS, operation), clamp }),
  },
  normalize: {
    toRecord: ({ groups, centered, epsilon }) => ({ groups, centered: centered ? 1 : 0, epsilon }),
    ofRecord: ({ groups, centered, epsilon }) => ({ groups, centered: centered !== 0, epsilon }),
  },
  extreme: {
    toRecord: ({ smallest, last }) => ({ smallest: smallest ? 1 : 0, last: last ? 1 : 0 }),
    ofRecord: ({ smallest, last }) => ({ smallest: smallest !== 0, last: last !== 0 }),
  },
  top: {
    toRecord: ({ count, smallest }) => ({ count, smallest: smallest ? 1 : 0 }),
    ofRecord: ({ count, smallest }) => ({ count, smallest: smallest !== 0 }),
  },
  boxes: {
    toRecord: ({ centered, most }) => ({ centered: centered ? 1 : 0, most }),
    ofRecord: ({ centered, most }) => ({ centered: centered !== 0, most }),
  },
  scan: {
    toRecord: ({ exclusive, reverse }) => ({ exclusive: exclusive ? 1 : 0, reverse: reverse ? 1 : 0 }),
    ofRecord: ({ exclusive, reverse }) => ({ exclusive: exclusive !== 0, reverse: reverse !== 0 }),
  },
  pool: {
    toRecord: ({ window, countIncludePad, clamp }) => ({
      window: windowRecord(window),
      countIncludePad: countIncludePad ? 1 : 0,
      clamp: clampRecord(clamp),
    }),
    ofRecord: ({ window, countIncludePad, clamp }) => ({
      window: windowOf(window),
      countIncludePad: countIncludePad !== 0,
      clamp,
    }),
  },
  copy: {
    toRecord: ({ extents, srcOffset, dstOffset, srcStrides, dstStrides }) => ({
      rank: extents.length,
      extents: [...extents],
      srcOffset,
      dstOffset,
      srcStrides: [...srcStrides],
      dstStrides: [...dstStrides],
    }),
    ofRecord: ({ rank, extents, srcOffset, dstOffset, srcStrides, dstStrides }) => ({
      extents: extents.slice(0, rank),
      srcOffset,
      dstOffset,
      srcStrides: srcStrides.slice(0, rank),
      dstStrides: dstStrides.slice(0, rank),
    }),
  },
  recurrent: { toRecord: recurrentRecord, ofRecord: ofRecurrentRecord },
  matmul: {
    toRecord: ({ batch, aStrides, bStrides, alpha = 1, clamp, ...rest }) => ({
      ...rest,
      rank: batch.length,
      alpha,
      batch: [...batch],
      aStrides: [...aStrides],
      bStrides: [...bStrides],
      clamp: clampRecord(clamp),
    }),
    ofRecord: ({ rank, batch, aStrides, bStrides, ...rest }) => ({
      ...rest,
      batch: batch.slice(0, rank),
      aStrides: aStrides.slice(0, rank + 2),
      bStrides: bStrides.slice(0, rank + 2),
    }),
  },
  integer: {
    toRecord: ({ operation }) => ({ operation: numberOf(INTEGER_OPERATIONS, operation) }),
    ofRecord: ({ operation }) => ({ operation: nameOf('integer', INTEGER_OPERATIONS, operation) }),
  },
  comparison: {
    toRecord: ({ comparison }) => ({ comparison: numberOf(COMPARISONS, comparison) }),
    ofRecord: ({ comparison }) => ({ comparison: nameOf('comparison', COMPARISONS, comparison) }),
  },
  axis: { toRecord: ({ axis }) => ({ axis }), ofRecord: ({ axis }) => ({ axis }) },
  skip: {
    toRecord: ({ count, value }) => ({ count, value: Number(value) }),
    ofRecord: ({ count, value }) => ({ count, value: value !== 0 }),
  },
  scatter: {
    toRecord: ({ axis, combination }) => ({ axis, combination: SCATTER_COMBINATIONS.indexOf(combination) }),
    ofRecord: ({ axis, combination }) => ({ axis, combination: combinationOf(combination) }),
  },
  fill: { toRecord: ({ value, high = 0 }) => ({ value, high }), ofRecord: ({ value, high }) => ({ value, high }) },
};

function numberOf(operations: readonly { readonly name: string }[], operation: string): number {
  return operations.findIndex(({ name }) => name === operation);
}

/** @throws E_PLAN_FORMAT for a number that no operation of the list has */
function nameOf<N extends string>(kind: string, operations: readonly { readonly name: N }[], number: number): N {
  const operation = operations[number];
  if (operation !== undefined) return operation.name;
  throw new HoneError('E_PLAN_FORMAT', { reason: `${kind} operation number ${number}` });
}

function combinationOf(number: number): (typeof SCATTER_COMBINATIONS)[number] {
  const combination = SCATTER_COMBINATIONS[number];
  if (combination !== undefined) return combination;
  throw new HoneError('E_PLAN_FORMAT', { reason: `scatter combination number ${number}` });
}

function convRecord({ window, groups, clamp, residual }: PlanConvParams): Partial<RecordOf<'conv'>> {
  return {
    window: windowRecord(window),
    groups,
    clamp: clampRecord(clamp),
    convScale: residual?.scale ?? 0,
    convZeroPoint: residual?.zeroPoint ?? 0,
    addClamp: clampRecord(residual?.clamp),
  };
}

function recurrentRecord(params: PlanRecurrentParams): Partial<RecordOf<'recurrent'>> {
  const { cell, direction, batch, batchFirst, linearBeforeReset, inputForget, clip, functions } = params;
  return {
    cell: RECURRENT_CELLS.indexOf(cell),
    direction: RECURRENT_DIRECTIONS.indexOf(direction),
    batch,
    batchFirst: Number(batchFirst),
    linearBeforeReset: Number(linearBeforeReset),
    inputForget: Number(inputForget),
    clip,
    operations: functions.map(({ operation }) => numberOf(UNARY_OPERATIONS, operation)),
    alphas: functions.map(({ alpha }) => alpha),
    betas: functions.map(({ beta }) => beta),
    lows: functions.map(({ lo }) => lo),
    highs: functions.map(({ hi }) => hi),
  };
}

function ofRecurrentRecord(record: RecordOf<'recurrent'>): PlanRecurrentParams {
  const { batch, clip, operations, alphas, betas, lows, highs } = record;
  const cell = RECURRENT_CELLS[record.cell];
  const direction = RECURRENT_DIRECTIONS[record.direction];
  if (cell === undefined) throw new HoneError('E_PLAN_FORMAT', { reason: `recurrent cell number ${record.cell}` });
  if (direction === undefined)
    throw new HoneError('E_PLAN_FORMAT', { reason: `recurrent direction number ${record.direction}` });
  return {
    cell,
    direction,
    batch,
    batchFirst: record.batchFirst !== 0,
    linearBeforeReset: record.linearBeforeReset !== 0,
    inputForget: record.inputForget !== 0,
    clip,
    functions: operations.map((operation, i) => ({
      operation: nameOf('unary', UNARY_OPERATIONS, operation),
      alpha: alphas[i],
      beta: betas[i],
      lo: lows[i],
      hi: highs[i],
    })),
  };
}

function clampRecord(clamp: PlanClamp = {}): RecordOf<'clamp'> {
  const { qmin = -128, qmax = 127, lo = Number.NEGATIVE_INFINITY, hi = Number.POSITIVE_INFINITY } = clamp;
  return { qmin, qmax, lo, hi };
}

function windowRecord({ kernel, stride, dilation, pad }: PlanWindow): RecordOf<'window'> {
  return {
    kernelH: kernel[0],
    kernelW: kernel[1],
    strideH: stride[0],
    strideW: stride[1],
    dilationH: dilation[0],
    dilationW: dilation[1],
    padTop: pad[0],
    padLeft: pad[1],
  };
}

function windowOf(record: RecordOf<'window'>): PlanWindow {
  return {
    kernel: [record.kernelH, record.kernelW],
    stride: [record.strideH, record.strideW],
    dilation: [record.dilationH, record.dilationW],
    pad: [record.padTop, record.padLeft],
  };
}
