import type {
  PlanBinaryParams,
  PlanBorderParams,
  PlanClamp,
  PlanConvParams,
  PlanCopyParams,
  PlanFillParams,
  PlanParams,
  PlanPoolParams,
  PlanWindow,
} from './description';
import { PLAN_OPS, type PlanOp, type RecordOf } from './format';

/** The record that holds the parameters of `op`, filled from the description. */
export function paramsRecord<O extends PlanOp>(op: O, params: PlanParams[O]): Record<string, unknown> {
  switch (PLAN_OPS[op].params) {
    case 'border':
      return { channelsFirst: (params as PlanBorderParams).channelsFirst ? 1 : 0 };
    case 'conv':
      return convRecord(params as PlanConvParams);
    case 'clamp':
      return clampRecord(params as PlanClamp);
    case 'binary': {
      const { operation, clamp } = params as PlanBinaryParams;
      return { operation: operation === 'add' ? 0 : 1, clamp: clampRecord(clamp) };
    }
    case 'pool': {
      const { window, countIncludePad, clamp } = params as PlanPoolParams;
      return { window: windowRecord(window), countIncludePad: countIncludePad ? 1 : 0, clamp: clampRecord(clamp) };
    }
    case 'copy': {
      const { extents, ...rest } = params as PlanCopyParams;
      return { rank: extents.length, extents, ...rest };
    }
    case 'fill':
      return { value: (params as PlanFillParams).value };
    default:
      return {};
  }
}

/** The description of the parameters of `op` in a record; `hasResidual` tells whether a convolution adds. */
export function paramsOf(op: PlanOp, record: Record<string, unknown>, hasResidual: boolean): PlanParams[PlanOp] {
  switch (PLAN_OPS[op].params) {
    case 'border':
      return { channelsFirst: (record as RecordOf<'border'>).channelsFirst !== 0 };
    case 'conv': {
      const { window, groups, clamp, convScale, convZeroPoint, addClamp } = record as RecordOf<'conv'>;
      const residual = hasResidual ? { residual: { scale: convScale, zeroPoint: convZeroPoint, clamp: addClamp } } : {};
      return { window: windowOf(window), groups, clamp, ...residual };
    }
    case 'clamp':
      return record as RecordOf<'clamp'>;
    case 'binary': {
      const { operation, clamp } = record as RecordOf<'binary'>;
      return { operation: operation === 0 ? 'add' : 'multiply', clamp };
    }
    case 'pool': {
      const { window, countIncludePad, clamp } = record as RecordOf<'pool'>;
      return { window: windowOf(window), countIncludePad: countIncludePad !== 0, clamp };
    }
    case 'copy': {
      const { rank, extents, srcOffset, dstOffset, srcStrides, dstStrides } = record as RecordOf<'copy'>;
      const [e, s, d] = [extents, srcStrides, dstStrides].map((list) => list.slice(0, rank));
      return { extents: e, srcOffset, dstOffset, srcStrides: s, dstStrides: d };
    }
    case 'fill':
      return { value: (record as RecordOf<'fill'>).value };
    default:
      return undefined;
  }
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
