/// <reference lib="esnext.disposable" preserve="true" />
/** The public API of Hone. */
export { type Agent, type AgentOptions, startAgent } from './agent/agent';
export { type AgentClient, connect } from './client/client';
export { type Compiled, type CompileOptions, compile, diagnose } from './compile/compile';
export { distill } from './compress/distill/distill';
export { finetune } from './compress/distill/finetune';
export type { LayerDecision, Method, MethodContext, MethodData, MethodResult } from './compress/method';
export { prune } from './compress/prune/prune';
export { pruningSensitivity } from './compress/prune/pruning-sensitivity';
export { quantizationSensitivity } from './compress/quantize/quantization-sensitivity';
export { type QuantizeContext, type QuantizeProgress, quantize } from './compress/quantize/quantize';
export { quantizeMethod } from './compress/quantize/quantize-method';
export type { PartialQuantizeOptions, QuantizeOptions } from './compress/quantize/quantize-options';
export type { QuantizeReport } from './compress/quantize/report';
export type { RecipeContext, StepCache, StepRecord } from './compress/recipe/context';
export { METHODS } from './compress/recipe/methods';
export type { Recipe, RecipeInput } from './compress/recipe/recipe-schema';
export { type RecipeResult, runRecipe } from './compress/recipe/run-recipe';
export type { RecipeStep } from './compress/recipe/steps';
export { type RecoveryOptions, recover } from './compress/recover';
export { pruneStructured } from './compress/structured/prune-structured';
export type { Diagnostic } from './core/diagnostic';
export { HoneError } from './core/error';
export type { ErrorCode } from './core/error-table';
export { type OutputSpec, parseOutputSpec } from './core/output-spec';
export { type DecodeContext, type Decoded, decodeOutputs } from './core/outputs/decode-outputs';
export { fitOf } from './core/picture-fit';
export { type PreprocessSpec, parsePreprocess } from './core/preprocess';
export { expectedInputs } from './data/fit-input';
export { openDataset } from './data/open-dataset';
export { openSession, type Session, type SessionOptions } from './engine/session';
export { GraphBuilder } from './ir/builder';
export type { Batch, Dataset } from './ir/dataset';
export type { Evaluate, Graph, Node } from './ir/graph';
export { print } from './ir/print';
export { type Tensor, tensorFrom, tensorOf, viewAs } from './ir/tensor';
export { verify } from './ir/verify';
export { openArtifact } from './jobs/artifact';
export { requireModel } from './jobs/make-plan';
export { type CompressRecipeOptions, compressByRecipe } from './jobs/recipe/recipe';
export { parseRecipe, readRecipe } from './jobs/recipe/recipe-file';
export { type RecipeReport, readReport } from './jobs/recipe/recipe-report';
export { measureSensitivity } from './jobs/sensitivity';
export { readModel, readModelFile } from './onnx/read-model';
export { writeModel } from './onnx/write-model';
export { float16PortsOf, narrowPorts } from './passes/narrow-ports';
export { type PrepareOptions, prepare } from './passes/pipeline';
export { describePlan } from './plan/describe';
export { readPlan } from './plan/reader';
export { createReferenceEvaluate } from './reference/evaluate';
export type { TelemetryFrame } from './telemetry/sample';
export { adam } from './train/adam';
export {
  binaryCrossEntropy,
  crossEntropy,
  klDivergence,
  type LossBuilder,
  meanSquaredError,
  softCrossEntropy,
  weightedSum,
} from './train/losses';
export type { Optimizer } from './train/optimizer';
export { reestimateBatchNorm } from './train/reestimate-batch-norm';
export { cosine, linear, multiStep, oneCycle, warmUp } from './train/schedules';
export { sgd } from './train/sgd';
export { train } from './train/train';
export type { Schedule, TrainOptions, TrainState } from './train/train-options';
