import type { z } from 'zod';
import type { Diagnostic } from '../core/diagnostic';
import type { Dataset } from '../ir/dataset';
import type { Evaluate, Graph } from '../ir/graph';
import type { TrainState } from '../train/train-options';
import type { OpenFinished } from './finished';
import type { EngineTarget } from './target';

/** Samples of a compression, disjoint by index. The test set is not among them: nothing here may see it. */
export interface MethodData {
  /** Undefined when there are none: methods that train refuse, one-shot methods go on. Labels are optional. */
  readonly training: Dataset | undefined;
  /** No labels needed. */
  readonly calibration: Dataset;
  /** Decides between candidates. */
  readonly validation: Dataset;
}

/** Where long training inside a method keeps its state, so that a killed run goes on to the same bits. */
export interface Checkpoints {
  /** Steps between two saves. */
  readonly everySteps: number;
  /** The state saved last under `key`; keys are unique within one application of a method. */
  load(key: string): Promise<TrainState | undefined>;
  save(key: string, state: TrainState): Promise<void>;
}

/** What a method gets besides the graph and its options. */
export interface MethodContext {
  readonly data: MethodData;
  readonly evaluate: Evaluate;
  /** Opens a finished network to judge its outputs; by `evaluate` when left out. */
  readonly openFinished?: OpenFinished;
  /** Quality on the validation samples, larger is better: the share of right classes (or agreement without labels), 0..1. */
  readonly score: (graph: Graph) => Promise<number>;
  /** The float model as it came in: the default teacher of every recovery training. */
  readonly teacher: Graph;
  /** Other networks that a step may name as its teacher. */
  readonly teachers?: ReadonlyMap<string, Graph>;
  readonly seed: number;
  /** Nodes (by name in the incoming graph) that must stay as they are: ignored by the user, or rolled back. */
  readonly keep: ReadonlySet<string>;
  /** Those of `keep` whose treatment was taken back. Weights that they were to give up are not asked of other layers; MACs are. */
  readonly rolledBack?: ReadonlySet<string>;
  readonly target: EngineTarget;
  readonly checkpoints?: Checkpoints;
  /**
   * Told what the user should know besides: a part that is off, and why (a warning), or one that was asked for and could not be
   * done (an error, which counts as a missed goal). `where` is a layer or an option.
   */
  readonly onDiagnostic?: (diagnostic: Diagnostic) => void;
  /** How far long work is: `what` in a few words, then done and total of it. */
  readonly onProgress?: (what: string, done: number, total: number) => void;
  /** Milliseconds since any fixed moment. */
  readonly clock?: () => number;
  readonly signal?: AbortSignal;
}

/** What a method did to one layer, and why. */
export interface LayerDecision {
  /** Node name in the incoming graph. */
  readonly layer: string;
  /** `pruned to 12 % of 4,000 weights`, `left alone`, ... */
  readonly treatment: string;
  /** `lowest score of all layers`, `would leave no channel`, ... */
  readonly reason: string;
  /** How much the treatment hurts beside that of other layers, for the order of rolling back; undefined when untouched. */
  readonly damage?: number;
}

/** A graph after a method. */
export interface MethodResult {
  readonly graph: Graph;
  /** One per layer that the method looked at, in graph order. */
  readonly decisions: readonly LayerDecision[];
  /** Numbers of the method's own, for JSON reports. */
  readonly report: object;
  /** What its own options ask for and could not be reached, in words; undefined when all was. */
  readonly missed?: string;
  /** As `MethodContext.onDiagnostic` tells them. */
  readonly diagnostics?: readonly Diagnostic[];
}

/**
 * One compression method: a step of a recipe. Pure: the same graph, options and context data give the same bytes. The graph
 * comes prepared with BatchNormalization kept (see `prepare`), and goes out as valid ONNX of the dialect. Weights that are
 * exactly zero on entry stay zero (earlier pruning is kept); a graph that is quantized already is refused unless the method
 * is made for it.
 */
export interface Method<Options> {
  /** Key of the step in a recipe. */
  readonly name: string;
  /** What it does, in one line, for help and schema. */
  readonly summary: string;
  /** A strict object with a description and a default for every key that can have one. */
  readonly options: z.ZodType<Options>;
  readonly apply: (graph: Graph, options: Options, context: MethodContext) => Promise<MethodResult>;
  /** Options that ask for a share (above 0, below 1) of what these ask for; undefined where that cannot be told. */
  readonly milder?: (options: Options, share: number) => Milder<Options> | undefined;
  /** Whether other layers make up for those that are left alone: then leaving more of them alone asks for no less. */
  readonly makesUp?: (options: Options) => boolean;
}

/** Options that ask for less than others. */
export interface Milder<Options> {
  readonly options: Options;
  /** What is asked for: `macs 0.85 instead of 0.7`. */
  readonly words: string;
}
