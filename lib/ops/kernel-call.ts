import type { BinaryOperation } from '../core/binary-operation';
import type { Comparison } from '../core/comparison';
import type { IntegerOperation } from '../core/integer-operation';
import type { RecurrentCell, RecurrentDirection } from '../core/recurrent-cell';
import type { ReduceOperation } from '../core/reduce-operation';
import type { UnaryOperation } from '../core/unary-operation';
import type { Share } from './interpolation';

/** A window along one axis: padding before and behind. */
export interface AxisWindow {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly pads: readonly [number, number];
}

/** Two-dimensional window, NHWC order of axes h then w; of a volume [N, C, depth, H, W] also along its depth. */
export interface Window {
  readonly depth?: AxisWindow;
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  /** Padding: top, left, bottom, right. */
  readonly pads: readonly [number, number, number, number];
}

/** A function of one float that the engine has, with its factors. */
export interface EngineFunction {
  readonly operation: UnaryOperation;
  /** What they are stands in native/kernels/unary_f32/unary_function.h; 0 where the function takes none. */
  readonly alpha?: number;
  readonly beta?: number;
}

/** What becomes of an element that an update of a Scatter operator meets. */
export type ScatterCombination = 'replace' | 'add' | 'multiply' | 'maximum' | 'minimum';

/** The same with bounds of what it gives, infinite where there are none. */
export interface BoundedFunction extends Required<EngineFunction> {
  readonly lo: number;
  readonly hi: number;
}

/**
 * A node in terms of engine kernels, before types (float or int8), layout and fusion are decided by the compiler.
 * Operand order is that of the ONNX node.
 */
export type KernelCall =
  | { readonly kernel: 'conv'; readonly window: Window; readonly groups: number }
  /** The adjoint of a convolution with this window: it reads what that would make. */
  | { readonly kernel: 'conv-transpose'; readonly window: Window; readonly groups: number }
  | {
      /** A product with a constant matrix, plus one constant per output. */
      readonly kernel: 'fully-connected';
      readonly transposeWeights: boolean;
      readonly alpha: number;
      readonly beta: number;
    }
  | {
      /** `alpha * A * B + beta * C`: the last two axes are matrices, those before broadcast; one axis is a vector. */
      readonly kernel: 'matmul';
      /** Factors whose last two axes change places. */
      readonly transpose: readonly [a: boolean, b: boolean];
      readonly alpha: number;
      readonly beta: number;
    }
  | {
      /** Two operands or more, from the first on. */
      readonly kernel: 'binary';
      readonly operation: BinaryOperation;
      /** What a mean divides its sum by. */
      readonly divisor?: number;
    }
  | {
      /** An operation that integers and bools alone have. */
      readonly kernel: 'integer';
      readonly operation: IntegerOperation;
    }
  | {
      /** Of its two inputs, or of its one input with `beside`. */
      readonly kernel: 'compare';
      readonly comparison: Comparison;
      /** 'itself', or a number in the type of the input. */
      readonly beside?: 'itself' | number;
      /** Whether the absolute value of its one input is compared. */
      readonly ofSize?: boolean;
    }
  | { readonly kernel: 'cast' }
  | {
      /** Numbers that the shape of the input tells, in the type and shape of the output. */
      readonly kernel: 'extents';
      readonly numbers: readonly number[];
    }
  | {
      /** Its first input between bounds that are computed: the second and the third, either of which may be left out. */
      readonly kernel: 'limit';
    }
  | { readonly kernel: 'where' }
  | { readonly kernel: 'gather'; readonly axis: number }
  | { readonly kernel: 'gather-elements'; readonly axis: number }
  | { readonly kernel: 'gather-nd'; readonly batchDims: number }
  | { readonly kernel: 'scatter-elements'; readonly axis: number; readonly combination: ScatterCombination }
  | { readonly kernel: 'scatter-nd'; readonly combination: ScatterCombination }
  | { readonly kernel: 'one-hot'; readonly axis: number; readonly depth: number }
  | {
      /** Pieces of these lengths, one for each output. */
      readonly kernel: 'split';
      readonly axis: number;
      readonly lengths: readonly number[];
    }
  | {
      /** Inputs X, W, R, B, lengths, states and peepholes; outputs Y and last states: those of the ONNX operators. */
      readonly kernel: 'recurrent';
      readonly cell: RecurrentCell;
      readonly direction: RecurrentDirection;
      /** Whether the batch is the first axis of X, Y and the states. */
      readonly batchFirst: boolean;
      readonly linearBeforeReset: boolean;
      readonly inputForget: boolean;
      /** Bound of what goes into gates; infinity: none. */
      readonly clip: number;
      /** f, g and h (as many as the cell has) of every direction. */
      readonly functions: readonly BoundedFunction[];
    }
  | { readonly kernel: 'max-pool'; readonly window: Window }
  | {
      readonly kernel: 'average-pool';
      readonly window: Window;
      readonly countIncludePad: boolean;
      /** Zeros around the spatial axes that count as elements, before each axis and then behind it: left out, none. */
      readonly around?: readonly number[];
      readonly global: boolean;
    }
  | {
      /** Sums of powers of sizes over windows, and the root of them. */
      readonly kernel: 'lp-pool';
      readonly window: Window;
      readonly power: number;
    }
  | ({
      readonly kernel: 'unary';
      readonly table: (x: number) => number;
    } & (
      | {
          /** The function is this clamp of its input. */
          readonly clamp: readonly [number, number];
          readonly float?: undefined;
        }
      | {
          readonly clamp?: undefined;
          /** What computes it on float32. */
          readonly float: EngineFunction;
        }
    ))
  | {
      /** Fourier sums over frames along an axis; the result has frequencies, then real and imaginary part in their place. */
      readonly kernel: 'fourier';
      readonly axis: number;
      /** 1 for real elements, 2 for complex ones; only a signal of rank 2 has no last axis for them. */
      readonly parts: number;
      /** Elements of a frame, and from one frame to the next; without `step` there is one frame. */
      readonly terms: number;
      readonly step?: number;
      readonly frequencies: number;
      /** [part, frequency, element, part], row-major. */
      readonly matrix: () => Float32Array;
    }
  | { readonly kernel: 'softmax'; readonly axis: number }
  | {
      /** The elements along some axes to one of them. */
      readonly kernel: 'reduce';
      /** In ascending order. */
      readonly axes: readonly number[];
      /** Engine operation on float32. */
      readonly float: string;
      /** Engine operation on int8, for reductions that give one of their elements; left out where there is none. */
      readonly integer?: string;
    }
  | {
      /** The elements along some axes to a sum or the like; of no axes, of each element alone. */
      readonly kernel: 'accumulate';
      /** In ascending order. */
      readonly axes: readonly number[];
      readonly operation: ReduceOperation;
    }
  | ({
      /** Groups of elements to mean 0 and variance 1, or to a mean square of 1 unless `centered`. */
      readonly kernel: 'normalize';
      readonly centered: boolean;
      readonly epsilon: number;
    } & (
      | {
          /** One group: the elements along these axes, in ascending order; inputs 1 and 2 scale and shift each of them. */
          readonly axes: readonly number[];
          readonly factors: 'none' | 'elements';
        }
      | {
          /** So many groups of channels (axis 1) with all that lies behind; inputs 1 and 2 scale and shift channels. */
          readonly groups: number;
          readonly factors: 'channels';
        }
    ))
  | {
      /** `scale * (x - mean) / sqrt(variance + epsilon) + bias` per channel, inputs 1 to 4 in the order of ONNX. */
      readonly kernel: 'batch-norm';
      readonly epsilon: number;
    }
  | {
      /** Each element against a reduction of those along some axes, which is `least` at least. */
      readonly kernel: 'relative';
      readonly axes: readonly number[];
      readonly reduction: ReduceOperation;
      readonly least?: number;
      readonly operation: BinaryOperation;
    }
  | {
      /** `x / (bias + alpha / size * sum of the squares of size neighbouring channels)^beta` */
      readonly kernel: 'local-response';
      readonly size: number;
      readonly alpha: number;
      readonly beta: number;
      readonly bias: number;
    }
  | {
      /** Place of the largest or smallest element along an axis, of equal ones the first or the last. */
      readonly kernel: 'arg-extreme';
      readonly axis: number;
      readonly smallest: boolean;
      readonly last: boolean;
    }
  /** 1 where that element stands, 0 elsewhere. */
  | { readonly kernel: 'hardmax'; readonly axis: number }
  | { readonly kernel: 'cumulative-sum'; readonly axis: number; readonly exclusive: boolean; readonly reverse: boolean }
  | {
      readonly kernel: 'top-k';
      readonly axis: number;
      /** Left out: the second input, which is computed. */
      readonly count: number | undefined;
      readonly smallest: boolean;
    }
  /** Its first input, where the second is `value`; else the run fails. */
  | { readonly kernel: 'require'; readonly value: boolean }
  /** Places of the elements that are not 0, one column each. */
  | { readonly kernel: 'non-zero' }
  | {
      /** Boxes of each class that do not overlap, inputs 0 to 4 in the order of ONNX. */
      readonly kernel: 'non-max-suppression';
      /** Center, width and height instead of two corners. */
      readonly centered: boolean;
    }
  | {
      /** Slices along an axis where the second input is true; without an axis elements. */
      readonly kernel: 'compress';
      readonly axis: number | undefined;
    }
  | { readonly kernel: 'concat'; readonly axis: number }
  | { readonly kernel: 'slice'; readonly starts: readonly number[]; readonly steps: readonly number[] }
  | {
      readonly kernel: 'pad';
      /** Elements that come before each axis; negative: that many are cut off. */
      readonly before: readonly number[];
      /** What surrounds the input; undefined: the third input, which is computed. */
      readonly value: number | undefined;
    }
  | {
      /** Along each axis the elements at these places, in this order; undefined: the axis as it is. */
      readonly kernel: 'select';
      readonly places: readonly (readonly number[] | undefined)[];
    }
  | {
      /** Along each axis mixtures of its elements; undefined: the axis as it is. */
      readonly kernel: 'interpolate';
      readonly shares: readonly (readonly (readonly Share[])[] | undefined)[];
      /** What stands where an axis mixes nothing; 0 when left out. */
      readonly outside?: number;
    }
  | { readonly kernel: 'expand' }
  | {
      /** Axes cut into `split` extents, which come back in `order`. */
      readonly kernel: 'rearrange';
      readonly split: readonly number[];
      readonly order: readonly number[];
    }
  | {
      /** A triangle of the last two axes from `diagonal` on, zero elsewhere. */
      readonly kernel: 'triangle';
      readonly upper: boolean;
      readonly diagonal: number;
    }
  | { readonly kernel: 'transpose'; readonly permutation: readonly number[] }
  | { readonly kernel: 'reshape' }
  | { readonly kernel: 'quantize' }
  | { readonly kernel: 'dequantize' };
