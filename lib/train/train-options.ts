import type { Batch } from '../ir/dataset';
import type { Graph } from '../ir/graph';
import type { Tensor } from '../ir/tensor';
import type { LossBuilder } from './losses';
import type { Optimizer } from './optimizer';
import type { RescueEvent } from './rescue';

/** A number that changes while training goes on: the value for progress from 0 (first step) to below 1. */
export type Schedule = (progress: number) => number;

/**
 * Share of a tensor's norm that its gradient is held to where nothing else is asked for: with rates about 0.01 a step of SGD with
 * momentum then moves no tensor by more than a few percent, whatever the scale of inputs (docs/training.md has the figures).
 */
export const CLIP_SHARE = 0.2;

/** Where training stands after a step. */
export interface TrainProgress {
  /** Steps done, from 1. */
  readonly step: number;
  readonly steps: number;
  /** Epoch of this step, from 0. */
  readonly epoch: number;
  /** Loss of this step's batch before the update. */
  readonly loss: number;
  /** Seconds left at the mean pace so far; undefined without a clock. */
  readonly etaS: number | undefined;
}

/** Everything that the next step depends on: with it, a run goes on to the same bits. */
export interface TrainState {
  /** Steps done. */
  readonly step: number;
  /** Parameters, optimiser state, statistics, averages, scores and masks, by the name of their input in the step. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/**
 * How the masks of a run behave.
 * - `frozen`: a masked parameter is and stays zero
 * - `dense`: the forward pass sees the masked parameter, its gradient moves the dense one behind the mask, so that a later
 *   mask may bring it back (dynamic network surgery, Guo et al. 2016); the result is masked
 */
export interface Masking {
  readonly mode: 'frozen' | 'dense';
  /** Masks of 0 and 1 at the start, by initializer. */
  readonly masks: ReadonlyMap<string, Tensor>;
  /** New masks, asked for before the step `at.step` whenever that is a multiple of `everySteps`. */
  readonly update?: {
    readonly everySteps: number;
    readonly masks: (at: MaskMoment) => ReadonlyMap<string, Tensor>;
  };
  /** Adds up `-w * dL/dw` of every step per masked parameter, for `MaskMoment.scores` (movement pruning). */
  readonly movement?: boolean;
}

export interface MaskMoment {
  /** Steps done, and in all. */
  readonly step: number;
  readonly steps: number;
  /** Parameters behind their masks: `dense` mode keeps their values, `frozen` ones are zero. */
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly masks: ReadonlyMap<string, Tensor>;
  /** Movement so far; empty unless `movement` is set. */
  readonly scores: ReadonlyMap<string, Tensor>;
}

export interface TrainOptions {
  readonly epochs: number;
  readonly batchSize: number;
  /** A constant, or a schedule (see `schedules.ts`). */
  readonly learningRate: number | Schedule;
  /** Decides the order of the samples; the same seed gives the same result, bit for bit. */
  readonly seed: number;
  /** Cross-entropy with the dataset's labels when left out. */
  readonly loss?: LossBuilder;
  /** SGD with momentum 0.9 when left out. */
  readonly optimizer?: Optimizer;
  /** Initializers that move; those of `trainableParameters` when left out. */
  readonly trainable?: readonly string[];
  /** Factor on the learning rate of some trainable initializers (learned step sizes, for example); 1 for the others. */
  readonly rateFactors?: ReadonlyMap<string, number>;
  /** Values of scalar float32 inputs that the loss has added, by name. */
  readonly schedules?: ReadonlyMap<string, Schedule>;
  readonly masking?: Masking;
  /**
   * What BatchNormalization does: `train` normalises with the statistics of the batch and moves the running ones (the result
   * carries those), `frozen` keeps them. `train` when left out.
   */
  readonly batchNorm?: 'train' | 'frozen';
  /** Largest norm of all gradients together; larger ones are scaled down (Pascanu et al. 2013). */
  readonly clipNorm?: number;
  /**
   * Largest norm of each parameter's gradient, as a share of the norm of the parameter; larger ones are scaled down (Brock et al. 2021).
   */
  readonly clipShare?: number;
  /** Returns the exponential moving average of the parameters with this decay per step, instead of the last ones. */
  readonly emaDecay?: number;
  /** Tensors for further inputs that the loss has added; inputs that the batch carries by name need nothing here. */
  readonly feedsOf?: (batch: Batch) => ReadonlyMap<string, Tensor> | Promise<ReadonlyMap<string, Tensor>>;
  /** Called every `everySteps` steps, and when the signal aborts, with what a later run needs as `resume`. */
  readonly checkpoint?: { readonly everySteps: number; readonly save: (state: TrainState) => Promise<void> };
  /** State of an earlier run with the same graph, dataset and options: the run goes on from there to the same bits. */
  readonly resume?: TrainState;
  /**
   * Called and awaited after the last step of every epoch (from 1), before a checkpoint of that step is saved, with what `train`
   * would return if it ended there.
   */
  readonly onEpoch?: (epoch: number, graph: Graph) => Promise<void>;
  /** Called when the loss was not finite and training goes on from the last good state at a lower rate; after a resume, once for before. */
  readonly onRescue?: (event: RescueEvent) => void;
  readonly onProgress?: (progress: TrainProgress) => void;
  /** Milliseconds since any fixed moment. */
  readonly clock?: () => number;
  readonly signal?: AbortSignal;
}
