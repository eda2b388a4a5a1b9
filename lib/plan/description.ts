import type { BinaryOperation } from '../core/binary-operation';
import type { Comparison } from '../core/comparison';
import type { IntegerOperation } from '../core/integer-operation';
import type { RecurrentCell, RecurrentDirection } from '../core/recurrent-cell';
import type { ReduceOperation } from '../core/reduce-operation';
import type { UnaryOperation } from '../core/unary-operation';
import type { PLAN_ENCODINGS, PlanType } from './format';
import type { PLAN_OPS, PlanOp } from './plan-ops';

/** A plan as a tree of plain values: what `writePlan` takes and `readPlan` returns. */
export interface PlanDescription {
  /** SHA-256 of the ONNX file, 64 hexadecimal digits. */
  readonly sourceHash: string;
  /** JSON object: labels, preprocessing, provenance. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Weight blobs, little-endian. Equal ones are stored once. */
  readonly constants: readonly Uint8Array[];
  /** Constants that are held as codes, by which tensors of place `encoded` name them; left out: none. */
  readonly encoded?: readonly PlanWeights[];
  /** One per compiled set of input shapes; they share the constants and the state memory. At least one. */
  readonly variants: readonly PlanVariant[];
}

export interface PlanVariant {
  readonly name: string;
  readonly tensors: readonly PlanTensor[];
  /** In execution order. */
  readonly nodes: readonly PlanNode[];
  readonly inputs: readonly PlanPort[];
  readonly outputs: readonly PlanPort[];
  readonly states: readonly PlanState[];
  /** Size of the memory that the tensors of place `arena` share. */
  readonly arenaBytes: number;
}

/**
 * A constant as codes, row after row: two of 4 bits per byte, the lower half first, each row from a byte of its own. `codes` and
 * `table` are indices into the constants of the plan. The element of a code is
 * - `narrow`: the code itself, of 4 bits, as int8;
 * - `scaled`: float32 `fl((code - zero point) * scale)`; every `group` neighbours of a row have a scale, an element of float32 in the
 *   table, and with `zeroPoints` an int8 zero point behind all scales, 0 without;
 * - `codebook`: the entry of the table at the unsigned code, of which there are 2^bits.
 * Codes are signed but for those of a codebook.
 */
export interface PlanWeights {
  readonly encoding: (typeof PLAN_ENCODINGS)[number];
  /** Of the elements. */
  readonly type: 'int8' | 'float32';
  readonly bits: 4 | 8;
  /** Codes of a row. */
  readonly row: number;
  /** Of `scaled`, left out or 0 elsewhere. */
  readonly group?: number;
  readonly zeroPoints?: boolean;
  readonly codes: number;
  /** Left out by `narrow`. */
  readonly table?: number;
}

interface TensorBase {
  readonly name: string;
  readonly type: PlanType;
  /** Physical extents (images are [N, H, W, C] inside the plan), rank at most 8, each at least 1. */
  readonly dims: readonly number[];
  /** Of int8 activations; left out or 0 elsewhere. Rounded to float32. */
  readonly scale?: number;
  /** Of int8 activations; left out or 0 elsewhere. */
  readonly zeroPoint?: number;
  /** Elements from one row (the last dimension) to the next, of tensors in the arena; left out or 0: rows follow each other. */
  readonly pitch?: number;
}

/** Offsets are bytes and multiples of 64 (of an element where rows lie apart); `constant` is an index into the constants of the plan. */
export type PlanTensor = TensorBase &
  (
    | { readonly place: 'arena' | 'state'; readonly offset: number }
    | { readonly place: 'constant'; readonly constant: number }
    /** `weights` is an index into what the plan holds as codes. */
    | { readonly place: 'encoded'; readonly weights: number }
    | { readonly place: 'port' }
  );

/** An input or output as the user sees it. */
export interface PlanPort {
  readonly name: string;
  /** Index of a tensor of place `port` in the same variant. */
  readonly tensor: number;
  readonly type: PlanType;
  /** In the ONNX layout; as many elements as the tensor. */
  readonly dims: readonly number[];
  /** Of outputs: the axis whose extent a run decides, that of `dims` at most, and the int64 tensor in the arena that tells it. */
  readonly counted?: { readonly axis: number; readonly tensor: number };
}

/** Tensors of place `state`: after each run the bytes of `output` become those of `input`. Both begin as real zero. */
export interface PlanState {
  readonly input: number;
  readonly output: number;
}

/** Bounds after a fused activation: qmin and qmax for int8 kernels, lo and hi for float kernels. Left out: no bound. */
export interface PlanClamp {
  readonly qmin?: number;
  readonly qmax?: number;
  readonly lo?: number;
  readonly hi?: number;
}

/** Sliding window; pairs are [vertical, horizontal]. Bottom and right padding follow from the extents. */
export interface PlanWindow {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  /** [top, left] */
  readonly pad: readonly [number, number];
}

export interface PlanConvParams {
  readonly window: PlanWindow;
  readonly groups: number;
  /** Of the convolution's own output. */
  readonly clamp?: PlanClamp;
  /** There exactly when conv_s8 has a residual operand: the convolution's own int8 grid, and the bounds of the sum. */
  readonly residual?: { readonly scale: number; readonly zeroPoint: number; readonly clamp?: PlanClamp };
}

export interface PlanPoolParams {
  readonly window: PlanWindow;
  /** Average pools only; default false. */
  readonly countIncludePad?: boolean;
  /** average_pool_s8 only. */
  readonly clamp?: PlanClamp;
}

export interface PlanBinaryParams {
  readonly operation: BinaryOperation;
  readonly clamp?: PlanClamp;
}

export interface PlanReduceParams {
  readonly operation: ReduceOperation;
  readonly clamp?: PlanClamp;
}

export interface PlanNormalizeParams {
  /** Parts of the last extent that are normalized each. */
  readonly groups: number;
  /** Whether the mean is subtracted. */
  readonly centered: boolean;
  readonly epsilon: number;
}

export interface PlanExtremeParams {
  readonly smallest: boolean;
  /** Of equal elements the last. */
  readonly last: boolean;
}

export interface PlanTopParams {
  readonly count: number;
  readonly smallest: boolean;
}

export interface PlanBoxesParams {
  /** Center, width and height instead of two corners. */
  readonly centered: boolean;
  /** Most boxes of one class. */
  readonly most: number;
}

export interface PlanScanParams {
  /** Whether sums leave out the element at their place. */
  readonly exclusive: boolean;
  /** Whether they begin at the end. */
  readonly reverse: boolean;
}

export interface PlanUnaryParams {
  readonly operation: UnaryOperation;
  /** Factors of the function; 0 where it takes none. */
  readonly alpha?: number;
  readonly beta?: number;
  readonly clamp?: PlanClamp;
}

export interface PlanBorderParams {
  /** True: the float tensor is [N, C, spatial...], the int8 tensor [N, spatial..., C]. Else both have the same dims. */
  readonly channelsFirst: boolean;
}

/** y[dstOffset + sum i_d * dstStrides_d] = x[srcOffset + sum i_d * srcStrides_d], in elements; rank 1 to 8. */
export interface PlanCopyParams {
  readonly extents: readonly number[];
  readonly srcOffset: number;
  readonly dstOffset: number;
  readonly srcStrides: readonly number[];
  readonly dstStrides: readonly number[];
}

export interface PlanIntegerParams {
  readonly operation: IntegerOperation;
}

export interface PlanComparisonParams {
  readonly comparison: Comparison;
}

export interface PlanAxisParams {
  /** From the first. */
  readonly axis: number;
}

/** Leaves out the next `count` nodes (at least 1) where the condition is `value`. */
export interface PlanSkipParams {
  readonly count: number;
  readonly value: boolean;
}

/** What becomes of an element that an update meets; the place in the list is the number in the file. */
export const SCATTER_COMBINATIONS = ['replace', 'add', 'multiply', 'maximum', 'minimum'] as const;

export interface PlanScatterParams {
  /** From the first; 0 where there is none. */
  readonly axis: number;
  readonly combination: (typeof SCATTER_COMBINATIONS)[number];
}

export interface PlanFillParams {
  /** Bit pattern of one element, unsigned. */
  readonly value: number;
  /** Its upper 32 bits, of elements of 8 bytes; left out: 0. */
  readonly high?: number;
}

/**
 * y[p, m, n] = alpha * sum over k of a[p, m, k] * b[p, k, n] for every p of the batch, at most 6 axes. Strides count elements:
 * those of the batch, then of a along m and k, of b along k and n; 0 repeats.
 */
export interface PlanMatmulParams {
  readonly batch: readonly number[];
  /** Extents of m, k and n. */
  readonly rows: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly aOffset: number;
  readonly bOffset: number;
  readonly aStrides: readonly number[];
  readonly bStrides: readonly number[];
  /** 1 when left out. */
  readonly alpha?: number;
  readonly clamp?: PlanClamp;
}

/** An activation of a recurrent layer: a function of one number with its factors and bounds. */
export interface PlanFunction {
  readonly operation: UnaryOperation;
  readonly alpha: number;
  readonly beta: number;
  readonly lo: number;
  readonly hi: number;
}

/** RNN, GRU or LSTM behind the product of its inputs with their weights. */
export interface PlanRecurrentParams {
  readonly cell: RecurrentCell;
  readonly direction: RecurrentDirection;
  /** Sequences. */
  readonly batch: number;
  /** Whether tensors have the batch before steps and directions. */
  readonly batchFirst: boolean;
  readonly linearBeforeReset: boolean;
  readonly inputForget: boolean;
  /** Bound of what goes into gates; infinity: none. */
  readonly clip: number;
  /** f, g and h of the first direction, then of the second. */
  readonly functions: readonly PlanFunction[];
}

/** Parameters by the record that holds them in the file. */
export interface RecordParams {
  readonly border: PlanBorderParams;
  readonly conv: PlanConvParams;
  readonly clamp: PlanClamp;
  readonly binary: PlanBinaryParams;
  readonly unary: PlanUnaryParams;
  readonly reduce: PlanReduceParams;
  readonly normalize: PlanNormalizeParams;
  readonly extreme: PlanExtremeParams;
  readonly top: PlanTopParams;
  readonly boxes: PlanBoxesParams;
  readonly scan: PlanScanParams;
  readonly pool: PlanPoolParams;
  readonly copy: PlanCopyParams;
  readonly fill: PlanFillParams;
  readonly matmul: PlanMatmulParams;
  readonly integer: PlanIntegerParams;
  readonly comparison: PlanComparisonParams;
  readonly axis: PlanAxisParams;
  readonly scatter: PlanScatterParams;
  readonly recurrent: PlanRecurrentParams;
  readonly skip: PlanSkipParams;
}

/** Parameters by operation: undefined for those that have none. */
export type PlanParams = {
  readonly [O in PlanOp]: (typeof PLAN_OPS)[O]['params'] extends infer N extends keyof RecordParams
    ? RecordParams[N]
    : undefined;
};

/** One kernel call. Operands are indices of tensors in the same variant; null is an optional input that is not there. */
export type PlanNode = {
  readonly [O in PlanOp]: {
    /** Name of the ONNX node, or of several joined by '+'. */
    readonly name: string;
    readonly op: O;
    readonly outputs: readonly number[];
    /** In the order of PLAN_OPS. */
    readonly inputs: readonly (number | null)[];
  } & (PlanParams[O] extends undefined ? { readonly params?: undefined } : { readonly params: PlanParams[O] });
}[PlanOp];
