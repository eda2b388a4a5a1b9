import type { Diagnostic } from '../../core/diagnostic';
import type { Evaluate, Graph } from '../../ir/graph';
import type { JudgedBy, OpenFinished } from '../finished';
import type { Checkpoints, LayerDecision, MethodContext, MethodData } from '../method';
import type { EngineTarget } from '../target';
import type { Recipe } from './recipe-schema';

/** A finished step as a cache keeps it. */
export interface CachedStep {
  /** The resulting model as ONNX. */
  readonly bytes: Uint8Array;
  readonly decisions: readonly LayerDecision[];
  readonly report: object;
  /** Goal of the method's own that was out of reach. */
  readonly missed?: string;
  /** What the user should know besides. */
  readonly diagnostics?: readonly Diagnostic[];
  readonly scored: Scored;
}

/** Finished steps by key, and the training state of those that are under way. */
export interface StepCache {
  get(key: string): Promise<CachedStep | undefined>;
  put(key: string, step: CachedStep): Promise<void>;
  /** Where the step with this key keeps its training state. */
  checkpoints(key: string): Checkpoints;
}

/** What a run needs besides model and steps. Everything that touches the world is injected. */
export interface RecipeContext {
  readonly data: MethodData;
  /** Prefix of keys in messages (`recipe.yaml: `); none when left out. */
  readonly place?: string;
  /** Says which samples these are; the same text means the same samples. */
  readonly dataIdentity: string;
  readonly evaluate: Evaluate;
  /** Quality on the validation samples, 0..1, larger is better. */
  readonly score: (graph: Graph) => Promise<number>;
  /** How sure the score of a graph is, and what ran it. */
  readonly detailOf?: (graph: Graph) => ScoreDetail | undefined;
  /** Opens a finished network to judge its outputs; by `evaluate` when left out. */
  readonly openFinished?: OpenFinished;
  /** Networks that steps may name as teachers, prepared; the default one is the incoming model. */
  readonly teachers?: ReadonlyMap<string, Graph>;
  readonly seed: number;
  readonly goals: Recipe['goals'];
  readonly ignore: Recipe['ignore'];
  readonly target: EngineTarget;
  /** Graphs as ONNX bytes and back. */
  readonly codec: { readonly encode: (graph: Graph) => Uint8Array; readonly decode: (bytes: Uint8Array) => Graph };
  /** Bytes that notes will add to the file of the result; they count for `goals.maxBytes`. 0 when left out. */
  readonly noteBytes?: number;
  /** Digest of all parts together, as text that can name a file. */
  readonly hash: (parts: readonly (string | Uint8Array)[]) => string;
  /** Version of the program: results of another one are not taken from the cache. */
  readonly version: string;
  readonly cache: StepCache;
  /** Called after every measured step, also of tries that are rolled back. */
  readonly onStep?: (record: StepRecord) => void;
  readonly onProgress?: MethodContext['onProgress'];
  readonly clock?: () => number;
  readonly signal?: AbortSignal;
}

/** What a scorer tells of a graph besides its score. */
export interface ScoreDetail {
  /** What ran the model. */
  readonly judgedBy: JudgedBy;
  /** 95 % interval of the score. */
  readonly interval95: readonly [low: number, high: number];
  /** Standard error of the difference from the incoming model, from the paired samples. */
  readonly dropStandardError: number;
  /** Mean `-ln p` of the next tokens at the positions of sequences, in nats. */
  readonly nats?: number;
}

/** Quality of a model. Details are left out when the scorer does not tell them. */
export interface Scored extends Partial<ScoreDetail> {
  /** Quality on the validation samples, 0..1. */
  readonly accuracy: number;
}

/** Size and quality of a model. */
export interface ModelMeasure extends Scored {
  /** Size of the ONNX file. */
  readonly bytes: number;
  /** Bytes of the parameters that are not zero. */
  readonly weightBytes: number;
  /** Multiply-accumulates of one sample. */
  readonly macs: number;
}

/** A step as it was applied once, judged after the recovery behind it. */
export interface StepTry extends Pick<ModelMeasure, 'macs' | 'weightBytes' | 'accuracy' | 'dropStandardError'> {
  /** What was asked of the step instead of what the recipe says (`macs 0.85 instead of 0.7`); undefined for that itself. */
  readonly asked?: string;
  /** Layers left alone. */
  readonly rolledBack: readonly string[];
  /** Accuracy lost against the incoming model, 0..1. */
  readonly drop: number;
  /** Whether it keeps to `maxDrop`. */
  readonly passes: boolean;
}

/** One measured step. */
export interface StepRecord extends ModelMeasure {
  /** Place in the list of steps, from 0. */
  readonly index: number;
  readonly method: string;
  /** Accuracy lost against the incoming model, 0..1; negative when it is better. */
  readonly drop: number;
  /** Layers that this try left alone because they cost too much accuracy. */
  readonly rolledBack: readonly string[];
  /** What was asked of it instead of what the recipe says, in words; undefined for that itself. */
  readonly asked?: string;
  readonly decisions: readonly LayerDecision[];
  readonly report: object;
  /** Goal of the method's own that was out of reach, in words. */
  readonly missed?: string;
  /** What the user should know besides. */
  readonly diagnostics?: readonly Diagnostic[];
  /** All tries in order, where the first broke the accuracy goal. */
  readonly tries?: readonly StepTry[];
  /** Whether the result came out of the cache. */
  readonly cached: boolean;
}

/** What a step has to say, with its place in the recipe. */
export function stepNotices({ index, method, diagnostics = [] }: StepRecord): Diagnostic[] {
  return diagnostics.map((each) => ({ ...each, where: `steps[${index}].${method}.${each.where}` }));
}
