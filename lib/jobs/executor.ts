import type { ValueType } from '../ir/graph';
import type { Tensor } from '../ir/tensor';

export const EXECUTORS = ['native', 'onnxruntime'] as const;
export type ExecutorName = (typeof EXECUTORS)[number];

/** Runs single samples of one model, by whichever engine. */
export interface Executor {
  readonly name: ExecutorName;
  /** Types for one sample; extents that the model leaves free are symbols. */
  readonly inputs: ReadonlyMap<string, ValueType>;
  readonly outputs: readonly string[];
  /** Bound of integer inputs that are indices into a table, by name. */
  readonly indexLimits: ReadonlyMap<string, number>;
  /**
   * The same inputs in the types in which the model takes them, which `run` makes of them otherwise.
   * @throws E_DATA_MISMATCH for numbers beyond those types
   */
  convert(feeds: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor>;
  /** Outputs by name for inputs with a leading axis of 1. */
  run(feeds: ReadonlyMap<string, Tensor>): Promise<ReadonlyMap<string, Tensor>>;
  /** Puts states that it keeps from run to run back to zeros. */
  reset(): void;
  close(): Promise<void>;
}
