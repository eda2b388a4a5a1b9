import type { ElementType } from './element-type';
import type { Tensor } from './tensor';

/** One extent of a shape: a number, or the name of a symbol such as `N`. */
export type Dim = number | string;

/** What is known of a value: element type, and shape unless even the rank is unknown. */
export interface ValueType {
  readonly type: ElementType;
  readonly shape: readonly Dim[] | undefined;
}

/** ONNX attribute with its declared kind (an int 1 and a float 1 differ on the wire). Ints saturate to safe integers. */
export type Attribute =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'tensor'; readonly value: Tensor }
  | { readonly kind: 'graph'; readonly value: Graph }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'strings'; readonly value: readonly string[] };

/** One operation. An empty input or output name stands for "left out". */
export interface Node {
  /** Unique in its graph. */
  readonly name: string;
  /** Operator, for example `Conv`. */
  readonly op: string;
  /** Operator domain; `''` is the ONNX standard domain. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
}

/**
 * Immutable dataflow graph in SSA form: every value is a graph input, an initializer, or the output of one node.
 * After reading, nodes stand in topological order. Passes return new graphs.
 */
export interface Graph {
  readonly name: string;
  /** Names of the true inputs (initializers that old files list as inputs are not among them). */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly Node[];
  readonly initializers: ReadonlyMap<string, Tensor>;
  /** Types of inputs, outputs and every value whose type is known; initializers need no entry. */
  readonly values: ReadonlyMap<string, ValueType>;
  /** Operator-set version per domain; `''` is the standard domain. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly irVersion: number;
  /** `metadata_props` of the model: preprocessing spec, labels, provenance. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** Runs a graph: the executor that methods get injected (onnxruntime, the reference evaluation, the native engine). */
export type Evaluate = (
  graph: Graph,
  feeds: ReadonlyMap<string, Tensor>,
  fetches: readonly string[],
) => Promise<ReadonlyMap<string, Tensor>>;
