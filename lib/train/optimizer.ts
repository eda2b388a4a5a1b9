import type { GraphEmitter } from './emitter';

/** One parameter in the middle of a training step; all are names of values. */
export interface ParameterUpdate {
  readonly value: string;
  readonly gradient: string;
  /** State of the optimiser for this parameter, one value per slot, shaped like the parameter, zero at the start. */
  readonly slots: readonly string[];
  /** Scalar. */
  readonly learningRate: string;
  /** One scalar per entry of `Optimizer.scalars`, by its key. */
  readonly scalars: Readonly<Record<string, string>>;
}

/** How parameters move: nodes that compute the new value and the new state. */
export interface Optimizer {
  /** Names of the state tensors that every parameter has. */
  readonly slots: readonly string[];
  /** Numbers that depend on the step alone (from 1), such as bias corrections. */
  readonly scalars?: Readonly<Record<string, (step: number) => number>>;
  readonly update: (emit: GraphEmitter, parameter: ParameterUpdate) => { value: string; slots: readonly string[] };
}
