import type { Diagnostic } from '../core/diagnostic';
import type { ElementType } from '../ir/element-type';
import type { Attribute, Dim, Node, ValueType } from '../ir/graph';
import type { Tensor } from '../ir/tensor';
import type { KernelCall } from './kernel-call';
import type { LayerFacet } from './layer';

/** Opset of the internal dialect of the standard domain; the IR version written beside it is 10. */
export const DIALECT_OPSET = 21;
export const DIALECT_IR_VERSION = 10;

/** A formal input or output of an operator. */
export interface Parameter {
  readonly name: string;
  readonly types: readonly ElementType[];
  readonly presence?: 'required' | 'optional' | 'variadic';
  /** Name of the parameter before it, or its own where it is variadic, whose type each of its values has. */
  readonly like?: string;
}

/** What a node of this operator may look like in the dialect. */
export interface Schema {
  readonly inputs: readonly Parameter[];
  readonly outputs: readonly Parameter[];
  readonly attributes: Readonly<Record<string, AttributeForm>>;
}

/** What an attribute may be. */
export interface AttributeForm {
  readonly kind: Attribute['kind'];
  /** Whether it must be there, for want of a default. */
  readonly required?: boolean;
  /** The words, or numbers, that ONNX knows for it, where it is a choice between some. */
  readonly words?: readonly (string | number)[];
}

/** What shape inference knows about one node. */
export interface InferContext {
  readonly node: Node;
  /** Types of the inputs, in order; undefined only where one is left out (a node with an input of unknown type is not inferred). */
  readonly inputs: readonly (ValueType | undefined)[];
  /** Constant value of input `index`, when it is an initializer or was folded. */
  constant(index: number): Tensor | undefined;
  /** Known integer elements of a shape-like input `index`; symbolic extents stay names, unknown ones are undefined. */
  partial(index: number): readonly (Dim | undefined)[] | undefined;
}

/** What inference returns per output: the type and, for shape-like values, the elements as far as they are known. */
export interface Inferred extends ValueType {
  readonly partial?: readonly (Dim | undefined)[];
}

/**
 * Dense tensor for reference evaluation. `data` is Float32Array or Float64Array for floating values (the evaluation's
 * precision), otherwise the natural typed array; int64 is held as Float64Array of safe integers, bool as Uint8Array of 0 and 1.
 */
export interface Dense {
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly data: DenseData;
}
export type DenseData =
  | Float32Array
  | Float64Array
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Int32Array
  | Uint32Array;

/** How reference evaluation rounds floating values: to float32 after every operation, or not at all. */
export type Precision = 'float32' | 'float64';

/** Work of one node for one inference. Shapes must be numbers. */
export interface Cost {
  /** Multiply-accumulate operations of convolutions and matrix products. */
  readonly macs: number;
  /** Other element operations. */
  readonly elementOps: number;
}

/**
 * A place where quantization may stand at a node's inputs or outputs.
 * - `activation`: uint8 per tensor; `bias`: int32 with scale xs*ws
 * - `weight`: int8 symmetric along `axis` (negative: from the end); an input that is not constant is an activation instead
 * - `same`: the output carries the first input's scale and zero point (MaxPool, Reshape, Concat, Pad, ...)
 */
export type QuantizationPoint =
  | { readonly role: 'activation' }
  | { readonly role: 'weight'; readonly axis: number }
  | { readonly role: 'bias' }
  | { readonly role: 'none' };

export interface QuantizationRule {
  /** One point per formal input; that of a variadic input serves all inputs from there on. */
  readonly inputs: readonly QuantizationPoint[];
  /** `own`: the output gets a scale of its own; `same`: inputs and outputs share one scale; `float`: output stays float. */
  readonly output: 'own' | 'same' | 'float';
}

/** Names new values and nodes while a gradient or an upgrade adds nodes to a graph. All methods return the value name. */
export interface Emitter {
  /** Adds a node with one output. */
  node(
    op: string,
    inputs: readonly string[],
    attributes?: Parameters<typeof import('../ir/attribute').attributes>[0],
    options?: { domain?: string },
  ): string;
  /** Adds a node with `count` outputs. */
  nodes(
    op: string,
    inputs: readonly string[],
    count: number,
    attributes?: Parameters<typeof import('../ir/attribute').attributes>[0],
    options?: { domain?: string },
  ): string[];
  constant(tensor: Tensor): string;
  /** Elements of a value that is constant. */
  constantOf(value: string): Tensor | undefined;
  /** Type of a value; shapes are numbers. */
  typeOf(value: string): ValueType;
}

/** Gradient rule: from gradients of the outputs to gradients of the wanted inputs. */
export interface GradientContext {
  readonly node: Node;
  readonly emit: Emitter;
  /** Gradient of each output; undefined where none flows. */
  readonly outputGradients: readonly (string | undefined)[];
  /** Whether input `index` needs a gradient (unused branches are not built). */
  wants(index: number): boolean;
}

/** One axis of one input or output of a node. */
export interface PortAxis {
  readonly of: 'input' | 'output';
  readonly index: number;
  readonly axis: number;
}

/** Index `i` of `from` can only be removed together with index `map(i)` of `to` (`i` itself without a map); undefined: alone. */
export interface Tie {
  readonly from: PortAxis;
  readonly to: PortAxis;
  readonly map?: (index: number) => number | undefined;
}

/** What a coupling rule may read. */
export interface CouplingContext {
  readonly node: Node;
  readonly inputs: readonly (ValueType | undefined)[];
  readonly outputs: readonly (ValueType | undefined)[];
  constant(index: number): Tensor | undefined;
  /** Whether no index of this axis can be removed as far as other nodes are concerned; for `late` rules. */
  isFixed(axis: PortAxis): boolean;
}

/** Which indices of a node's inputs and outputs hang together. An axis that no tie names cannot lose any index. */
export interface Ties {
  readonly ties: readonly Tie[];
  /** The axis that counts the units of a layer with parameters (output channels, neurons, hidden units). */
  readonly layer?: PortAxis;
}

/** What `shrink` may read and make. */
export interface ShrinkContext extends Omit<CouplingContext, 'isFixed'> {
  /** Indices of the axis that stay, ascending; undefined where the extent is a symbol. */
  kept(axis: PortAxis): readonly number[] | undefined;
  /** Adds a constant; returns its name. */
  add(hint: string, tensor: Tensor): string;
}

/** How channels that are removed on one side of a node spread to its other sides. */
export interface Coupling {
  /** The ties, or why none are known (then every axis stays). */
  readonly ties: (context: CouplingContext) => Ties | Diagnostic;
  /** The rule chooses between ties by what other nodes leave open: it is asked after them. */
  readonly late?: boolean;
  /** The node after indices have gone, where attributes or constants of its form name extents. */
  readonly shrink?: (context: ShrinkContext) => Node;
}

/** What an operator's `lower` facet may read. */
export interface LowerContext {
  readonly node: Node;
  readonly inputs: readonly (ValueType | undefined)[];
  readonly outputs: readonly (ValueType | undefined)[];
  constant(index: number): Tensor | undefined;
  /** Known integer elements of a shape-like input `index`, as in `InferContext`; not everybody tells. */
  partial?(index: number): readonly (Dim | undefined)[] | undefined;
}

/**
 * What a node of an operator does to its first input, for those who only need to know that much.
 * - `relabels`: hands it on under another name, shape or element type; `rearranges`: in another order
 * - `averages`: every output lies between the extremes of what it is made of
 * - `homogeneous`: `f(s * x) = s * f(x)` per channel for every s > 0
 * - `rectifies`: clamps it, so that many outputs are equal to a bound
 * - `squashes`: maps elements one by one to a bounded or one-sided range, which no logits have
 */
export type Trait = 'relabels' | 'rearranges' | 'averages' | 'homogeneous' | 'rectifies' | 'squashes';

/**
 * One ONNX operator: everything that Hone knows of it, in one file. Only `op`, `since`, `schema` and `infer` must be there;
 * a facet that is missing where it is needed becomes a diagnostic naming node and operator.
 */
export interface Operator {
  readonly op: string;
  /** `''` is the standard domain. */
  readonly domain: string;
  /** Version of the operator that the dialect holds (the newest not above opset 21). */
  readonly since: number;
  readonly schema: Schema;
  readonly traits?: readonly Trait[];
  /** What elements along an axis of the output tell of classes. */
  readonly distribution?: 'probabilities' | 'logarithms';
  /**
   * Nodes of the dialect that do what `node` did under opset `from` (< since), or a diagnostic. The last node must
   * produce the original outputs under their names. Absent: the form has not changed since opset 7.
   */
  readonly upgrade?: (node: Node, from: number, emit: UpgradeEmitter) => readonly Node[] | Diagnostic;
  /** Types of the outputs, or a diagnostic when the inputs cannot be right. */
  readonly infer: (context: InferContext) => readonly Inferred[] | Diagnostic;
  /** Whether data decide how many elements the outputs have, so that a number which a file declares for it is that of one run. */
  readonly counts?: true;
  /**
   * The greatest extents of the outputs where data decide one of them, for inputs of at most these extents; undefined: no bound
   * is known.
   */
  readonly most?: (context: LowerContext) => readonly (readonly number[] | undefined)[];
  /** Slow and obvious value of the outputs: the oracle. */
  readonly evaluate?: (inputs: readonly (Dense | undefined)[], node: Node, precision: Precision) => readonly Dense[];
  /** Names of input gradients (undefined: not wanted or zero), in input order, or why this form has none. */
  readonly gradient?: (context: GradientContext) => readonly (string | undefined)[] | Diagnostic;
  readonly cost?: (
    inputs: readonly (ValueType | undefined)[],
    outputs: readonly (ValueType | undefined)[],
    node: Node,
  ) => Cost;
  /** One rule for the operator, or a rule per node where attributes decide (Gemm's transB). */
  readonly quantization?: QuantizationRule | ((node: Node) => QuantizationRule);
  /** Parameters, axes and the matrix product of a node with weights, or of a normalization. */
  readonly layer?: (node: Node) => LayerFacet;
  /** Structured pruning through this operator; without it every axis of a node's inputs and outputs stays whole. */
  readonly coupling?: Coupling;
  /** The kernel family and parameters that run this node in the engine, or why none can. */
  readonly lower?: (context: LowerContext) => KernelCall | Diagnostic;
}

/** Lets an upgrade make helper values; returns unique names. */
export interface UpgradeEmitter {
  fresh(hint: string): string;
  constant(tensor: Tensor): string;
  typeOf(value: string): ValueType | undefined;
  constantOf(value: string): Tensor | undefined;
}
