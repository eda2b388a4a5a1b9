import type { TensorData, TensorSpec } from './tensor';

/** What a request is checked against. */
export interface ModelPorts {
  readonly name: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /**
   * Most rows of one request, where the model takes rows: the leading extent of all inputs may then be 1 to this, whatever stands
   * there in their specs.
   */
  readonly batch?: number | undefined;
}

/** An output that a request wants. */
export interface WantedOutput {
  /** Its place among the outputs of the model. */
  readonly index: number;
  /** True where its elements follow the JSON as bytes. */
  readonly binary: boolean;
  /** Where set, the best so many classes are wanted instead of the elements; at least 1. */
  readonly classification?: number;
}

/** An inference request, checked against the model. */
export interface InferRequest {
  readonly id: string | undefined;
  /** Leading extent of all inputs where the model takes rows, else 1. */
  readonly rows: number;
  /** Elements per input, in the order of the model's inputs; views of the body where its alignment allows. */
  readonly inputs: readonly TensorData[];
  readonly outputs: readonly WantedOutput[];
  /** 1 (highest) to 3, or 0 for the default. */
  readonly priority: number;
  /** Microseconds that the request may take; undefined without a limit of its own. */
  readonly timeoutUs: number | undefined;
}
